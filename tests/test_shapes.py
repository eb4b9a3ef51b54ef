"""Profiles with a base record: it meets every shape, and each shape has a mutation to fail it."""

from __future__ import annotations

import pytest
import test_shapes_dcat_ap
import test_shapes_dcat_ap_es
import test_shapes_hvd

ALL = {
    module.PROFILE.label: module.RECORDS
    for module in (test_shapes_dcat_ap, test_shapes_dcat_ap_es, test_shapes_hvd)
}
MUTATIONS = [
    pytest.param(label, number, id=f"{label}-{names}")
    for label, records in ALL.items()
    for number, (names, _) in enumerate(records.mutations)
]


@pytest.mark.parametrize("label", ALL)
def test_every_shape_has_a_mutation_that_fails_it(label: str) -> None:
    assert ALL[label].unmutated() == set()


@pytest.mark.parametrize("label", ALL)
def test_base_record_passes_every_shape(label: str) -> None:
    assert ALL[label].failing_base() == {}


@pytest.mark.parametrize(("label", "number"), MUTATIONS)
def test_mutation_fails_its_shapes_alone(label: str, number: int) -> None:
    records = ALL[label]
    focus, _ = records.mutated(number)
    assert records.failures.get(focus, set()) == set(records.mutations[number][0].split(", "))
