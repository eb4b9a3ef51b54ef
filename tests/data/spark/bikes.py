"""A pipeline on Spark: minutes on bicycles by district, out of two files.

Its arguments are the place of the files, the address of the server and the token.
"""

import sys
from pathlib import Path

from pyspark.sql import SparkSession, functions

place, address, key = sys.argv[1:]
SETTINGS = {
    "jars.packages": "io.openlineage:openlineage-spark_2.12:1.53.0",
    "jars.ivy": str(Path(sys.prefix) / "ivy"),
    "extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
    "openlineage.namespace": "spark",
    "openlineage.transport.type": "http",
    "openlineage.transport.url": address,
    "openlineage.transport.auth.type": "api_key",
    "openlineage.transport.auth.apiKey": key,
    "openlineage.transport.compression": "gzip",
    "sql.shuffle.partitions": "1",
    "sql.warehouse.dir": f"{place}/warehouse",
    "ui.enabled": "false",
}
Path(place, "trips.csv").write_text("station,minutes\n1,5\n1,9\n2,7\n")
Path(place, "stations.csv").write_text("id,district\n1,Abando\n2,Casco Viejo\n")

builder = SparkSession.builder.master("local[1]").appName("bikes")
for name, value in SETTINGS.items():
    builder = builder.config(f"spark.{name}", value)
spark = builder.getOrCreate()
trips = spark.read.csv(f"{place}/trips.csv", header=True, schema="station INT, minutes INT")
stations = spark.read.csv(f"{place}/stations.csv", header=True, schema="id INT, district STRING")
joined = trips.join(stations, trips.station == stations.id).groupBy("district")
joined.agg(functions.sum("minutes").alias("total")).write.saveAsTable("by_district")
spark.table("by_district").write.json(f"{place}/published")
spark.stop()
