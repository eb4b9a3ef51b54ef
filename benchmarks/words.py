"""Words of the generated catalogues: Spanish and Basque side by side, so that titles match."""

from __future__ import annotations

from typing import Final

__all__ = ["AREAS", "BREAKDOWNS", "KEYWORDS", "PLACES", "REVISED", "SENTENCES", "TOPICS"]

Pair = tuple[str, str]

# What a dataset tells of, and the code of its theme in the EU table.
TOPICS: Final[tuple[tuple[str, str, str], ...]] = (
    ("Mediciones de ruido", "Zarata-neurketak", "ENVI"),
    ("Calidad del aire", "Airearen kalitatea", "ENVI"),
    ("Arbolado urbano", "Hiri-zuhaitzak", "ENVI"),
    ("Recogida de residuos", "Hondakin-bilketa", "ENVI"),
    ("Consumo de agua", "Ur-kontsumoa", "ENVI"),
    ("Huertos urbanos", "Hiri-baratzeak", "ENVI"),
    ("Zonas verdes", "Berdeguneak", "ENVI"),
    ("Aforos de peatones", "Oinezkoen zenbaketak", "TRAN"),
    ("Plazas de aparcamiento", "Aparkalekuak", "TRAN"),
    ("Paradas de autobús", "Autobus-geltokiak", "TRAN"),
    ("Carriles bici", "Bidegorriak", "TRAN"),
    ("Accidentes de tráfico", "Trafiko-istripuak", "TRAN"),
    ("Préstamo de bicicletas", "Bizikleta-mailegua", "TRAN"),
    ("Contratos menores", "Kontratu txikiak", "GOVE"),
    ("Subvenciones concedidas", "Emandako diru-laguntzak", "GOVE"),
    ("Presupuesto municipal", "Udal-aurrekontua", "GOVE"),
    ("Quejas y sugerencias", "Kexak eta iradokizunak", "GOVE"),
    ("Locales comerciales", "Merkataritza-lokalak", "ECON"),
    ("Licencias de actividad", "Jarduera-lizentziak", "ECON"),
    ("Paro registrado", "Erregistratutako langabezia", "ECON"),
    ("Alojamientos turísticos", "Turismo-ostatuak", "ECON"),
    ("Mercados", "Azokak", "ECON"),
    ("Agenda cultural", "Kultura-agenda", "EDUC"),
    ("Centros educativos", "Ikastetxeak", "EDUC"),
    ("Bibliotecas y préstamos", "Liburutegiak eta maileguak", "EDUC"),
    ("Instalaciones deportivas", "Kirol-instalazioak", "EDUC"),
    ("Farmacias", "Farmaziak", "HEAL"),
    ("Desfibriladores", "Desfibriladoreak", "HEAL"),
    ("Inspecciones de consumo", "Kontsumo-ikuskapenak", "HEAL"),
    ("Población empadronada", "Erroldatutako biztanleak", "SOCI"),
    ("Nacimientos y defunciones", "Jaiotzak eta heriotzak", "SOCI"),
    ("Ayudas sociales", "Gizarte-laguntzak", "SOCI"),
    ("Centros de personas mayores", "Adinekoen zentroak", "SOCI"),
    ("Asociaciones", "Elkarteak", "SOCI"),
    ("Licencias de obra", "Obra-lizentziak", "REGI"),
    ("Edificios protegidos", "Babestutako eraikinak", "REGI"),
    ("Alumbrado público", "Argiteria publikoa", "REGI"),
    ("Mobiliario urbano", "Hiri-altzariak", "REGI"),
    ("Parcelas y solares", "Lurzatiak eta orubeak", "REGI"),
    ("Puntos de wifi", "Wifi-guneak", "TECH"),
    ("Sensores urbanos", "Hiri-sentsoreak", "TECH"),
    ("Intervenciones de bomberos", "Suhiltzaileen esku-hartzeak", "JUST"),
    ("Avisos a la policía municipal", "Udaltzaingoari egindako abisuak", "JUST"),
    ("Consumo energético de edificios", "Eraikinen energia-kontsumoa", "ENER"),
    ("Puntos de recarga", "Kargatzeko puntuak", "ENER"),
)

KEYWORDS: Final[dict[str, Pair]] = {
    "ENVI": ("medio ambiente", "ingurumena"),
    "TRAN": ("movilidad", "mugikortasuna"),
    "GOVE": ("transparencia", "gardentasuna"),
    "ECON": ("economía", "ekonomia"),
    "EDUC": ("cultura y educación", "kultura eta hezkuntza"),
    "HEAL": ("salud", "osasuna"),
    "SOCI": ("población", "biztanleria"),
    "REGI": ("urbanismo", "hirigintza"),
    "TECH": ("tecnología", "teknologia"),
    "JUST": ("seguridad", "segurtasuna"),
    "ENER": ("energía", "energia"),
}

PLACES: Final[tuple[Pair, ...]] = (
    ("de Abando", "Abandoko"),
    ("de Indautxu", "Indautxuko"),
    ("de Deusto", "Deustuko"),
    ("de San Ignacio", "San Inazioko"),
    ("de Santutxu", "Santutxuko"),
    ("de Begoña", "Begoñako"),
    ("de Otxarkoaga", "Otxarkoagako"),
    ("de Txurdinaga", "Txurdinagako"),
    ("de Rekalde", "Errekaldeko"),
    ("de Basurto", "Basurtuko"),
    ("de Zorrotza", "Zorrotzako"),
    ("de Zorrotzaurre", "Zorrotzaurreko"),
    ("de Uribarri", "Uribarriko"),
    ("de Bilbao la Vieja", "Bilbo Zaharreko"),
    ("del Casco Viejo", "Alde Zaharreko"),
    ("de Atxuri", "Atxuriko"),
    ("de San Francisco", "San Frantziskoko"),
    ("de Iralabarri", "Iralabarriko"),
    ("de Ametzola", "Ametzolako"),
    ("de Olabeaga", "Olabeagako"),
    ("de Miribilla", "Miribillako"),
    ("de Matiko", "Matikoko"),
    ("de Artxanda", "Artxandako"),
    ("de Arangoiti", "Arangoitiko"),
    ("de Bolueta", "Boluetako"),
    ("de Larraskitu", "Larraskituko"),
    ("de Altamira", "Altamirako"),
    ("de Masustegi", "Masustegiko"),
    ("de Solokoetxe", "Solokoetxeko"),
)

BREAKDOWNS: Final[tuple[Pair, ...]] = (
    ("por barrio", "auzoka"),
    ("por mes", "hilez hile"),
    ("por calle", "kalez kale"),
    ("por distrito", "barrutika"),
    ("por día", "egunez egun"),
    ("por año", "urtez urte"),
    ("por sexo y edad", "sexu eta adinaren arabera"),
    ("por sección censal", "errolda-sekzioka"),
    ("por tramo horario", "ordu-tarteka"),
    ("por equipamiento", "ekipamenduka"),
)

SENTENCES: Final[tuple[Pair, ...]] = (
    (
        "Los datos proceden de los registros del área y se revisan antes de publicarse.",
        "Datuak arloaren erregistroetatik datoz eta argitaratu aurretik berrikusten dira.",
    ),
    (
        "Cada fila es una observación con su fecha, su lugar y su valor.",
        "Errenkada bakoitza behaketa bat da, bere data, lekua eta balioarekin.",
    ),
    (
        "Las coordenadas están en el sistema ETRS89.",
        "Koordenatuak ETRS89 sisteman daude.",
    ),
    ("No contiene datos personales.", "Ez du datu pertsonalik."),
    (
        'La columna "valor" se deja en blanco cuando falta el dato.',
        '"balioa" zutabea hutsik uzten da datua falta denean.',
    ),
    (
        "La primera fila lleva los nombres de las columnas.",
        "Lehen errenkadak zutabeen izenak ditu.",
    ),
    (
        "Los códigos se explican en la página del conjunto.",
        "Kodeak datu-multzoaren orrian azaltzen dira.",
    ),
    (
        "Los nombres de calle están en castellano y en euskera.",
        "Kale-izenak gaztelaniaz eta euskaraz daude.",
    ),
    (
        "Las cifras del último mes son provisionales.",
        "Azken hileko zifrak behin-behinekoak dira.",
    ),
    (
        "Se publica para que cualquiera pueda reutilizarlo.",
        "Edonork berrerabil dezan argitaratzen da.",
    ),
    ("Sirve de base para los informes anuales.", "Urteko txostenen oinarria da."),
)

REVISED: Final[Pair] = (
    "La serie se ha revisado y corregido.",
    "Seriea berrikusi eta zuzendu da.",
)

AREAS: Final[tuple[Pair, ...]] = (
    ("Movilidad y Sostenibilidad", "Mugikortasuna eta Jasangarritasuna"),
    ("Salud y Consumo", "Osasuna eta Kontsumoa"),
    ("Vivienda", "Etxebizitza"),
    ("Educación", "Hezkuntza"),
    ("Acción Social", "Gizarte Ekintza"),
    ("Planificación Urbana", "Hiri Plangintza"),
    ("Obras Públicas y Servicios", "Herri Lanak eta Zerbitzuak"),
    ("Seguridad", "Segurtasuna"),
    ("Desarrollo Económico", "Ekonomia Garapena"),
    ("Hacienda", "Ogasuna"),
    ("Cultura y Gobernanza", "Kultura eta Gobernantza"),
    ("Euskera", "Euskara"),
)
