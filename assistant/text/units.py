"""The names of months, units, currencies, powers of ten and small numbers in EN and PT, folded."""

from __future__ import annotations


def _table(text: str) -> dict[str, str]:
    """Read lines of `canonical: name name …`; a name's underscore is a space."""
    table: dict[str, str] = {}
    for line in text.strip().splitlines():
        canonical, _, names = line.strip().partition(": ")
        table.update((name.replace("_", " "), canonical) for name in names.split())
    return table


UNITS = _table("""
    %: % percent per_cent por_cento pct
    pp: p.p. pp percentage_points percentage_point pontos_percentuais ponto_percentual
    BRL: r$ brl reais real
    USD: us$ u$s usd dollars dollar dolares dolar
    $: $
    EUR: € eur euros euro
    GBP: £ gbp pounds_sterling
    JPY: ¥ yen
    second: seconds second secs sec segundos segundo s
    minute: minutes minute mins min minutos minuto
    hour: hours hour hrs hr horas hora h
    day: days day dias dia d
    business day: business_days business_day working_days working_day dias_uteis dia_util
    week: weeks week semanas semana
    month: months month meses mes
    year: years year yrs anos ano
    ug: mcg µg μg ug micrograms microgramas
    mg: mg milligrams miligramas
    g: g grams gram gramas grama
    kg: kg kgs kilograms quilogramas quilos quilo
    t: tonnes tonne tons toneladas tonelada
    ml: ml millilitres mililitros
    l: l liters litres liter litre litros litro
    mm: mm millimetres millimeters milimetros
    cm: cm centimetres centimeters centimetros
    m: m metres meters metros metro
    km: km kilometres kilometers quilometros
    inch: inches inch polegadas polegada
    bar: bar
    psi: psi
    kPa: kpa
    MPa: mpa
    C: °c ºc degrees_celsius graus_celsius graus
    F: °f
    rpm: rpm
    V: v volts
    A: amps amperes
    W: w watts
    kW: kw
    kWh: kwh
    kVA: kva
    Hz: hz
    Nm: n·m n.m nm
    dB: db db(a) dba
    mmHg: mmhg
    bpm: bpm
    mmol/l: mmol/l
    mg/dl: mg/dl
    mg/kg: mg/kg
    ml/min: ml/min
    l/min: l/min
    m3/h: m3/h m³/h
    mm/s: mm/s
    bps: bps basis_points basis_point pontos-base pontos_base
""")

SCALES = {
    "thousand": 3,
    "thousands": 3,
    "mil": 3,
    "k": 3,
    "million": 6,
    "millions": 6,
    "milhao": 6,
    "milhoes": 6,
    "mi": 6,
    "mln": 6,
    "mm": 6,
    "m": 6,
    "billion": 9,
    "billions": 9,
    "bilhao": 9,
    "bilhoes": 9,
    "bi": 9,
    "bn": 9,
    "b": 9,
    "trillion": 12,
    "trillions": 12,
    "trilhao": 12,
    "trilhoes": 12,
    "tri": 12,
}


def _months(names: str) -> dict[str, int]:
    """Read twelve groups of names, January first."""
    groups = enumerate(names.split(" | "), 1)
    return {name: number for number, group in groups for name in group.split()}


ENGLISH_MONTHS = _months(
    "january jan | february feb | march mar | april apr | may | june jun | july jul | august aug "
    "| september sept sep | october oct | november nov | december dec"
)
MONTHS = ENGLISH_MONTHS | _months(
    "janeiro jan | fevereiro fev | marco mar | abril abr | maio mai | junho jun | julho jul "
    "| agosto ago | setembro set | outubro out | novembro nov | dezembro dez"
)

ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "primeiro": 1,
    "segundo": 2,
    "terceiro": 3,
    "quarto": 4,
}

SPELLED = {
    name: value
    for value, names in {
        2: "two dois duas",
        3: "three tres",
        4: "four quatro",
        5: "five cinco",
        6: "six seis",
        7: "seven sete",
        8: "eight oito",
        9: "nine nove",
        10: "ten dez",
        11: "eleven onze",
        12: "twelve doze",
        13: "thirteen treze",
        14: "fourteen quatorze catorze",
        15: "fifteen quinze",
        16: "sixteen dezesseis",
        17: "seventeen dezessete",
        18: "eighteen dezoito",
        19: "nineteen dezenove",
        20: "twenty vinte",
        30: "thirty trinta",
        40: "forty quarenta",
        50: "fifty cinquenta",
        60: "sixty sessenta",
        70: "seventy setenta",
        80: "eighty oitenta",
        90: "ninety noventa",
        100: "cem",
    }.items()
    for name in names.split()
}
