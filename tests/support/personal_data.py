"""Sentences, tables and JSON with personal data that is made up but correct, and decoys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from stdnum import iban, luhn
from stdnum.br import cnpj, cpf

from assistant.personal.finding import Kind
from assistant.personal.numbers import is_cns, is_pis


@dataclass(frozen=True, slots=True)
class Written:
    """A text, and the value of a kind that stands in it."""

    text: str
    kind: Kind
    value: str


def _digits(random: Random, n: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(n))


def _cpf(random: Random) -> str:
    base = _digits(random, 8) + "1"
    digits = next(n for i in range(100) if len(set(n := f"{base}{i:02d}")) > 1 and cpf.is_valid(n))
    dotted = f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"
    spaced = f"{digits[:3]} {digits[3:6]} {digits[6:9]} {digits[9:]}"
    return random.choice((dotted, dotted, digits, digits, f"{digits[:9]}-{digits[9:]}", spaced))


def _cnpj(random: Random) -> str:
    root = "".join(random.choice("0123456789ABCDEFGHJKLMNPRSTVWXYZ") for _ in range(8))
    if random.random() < 0.8:
        root = _digits(random, 7) + "7"
    base = root + "0001"
    whole = base + cnpj.calc_check_digits(base)
    dotted = f"{whole[:2]}.{whole[2:5]}.{whole[5:8]}/{whole[8:12]}-{whole[12:]}"
    return random.choice((dotted, whole, f"{whole[:8]}/{whole[8:12]}-{whole[12:]}"))


def _card(random: Random) -> str:
    prefix, length = random.choice(
        (
            ("4", 16),
            ("51", 16),
            ("55", 16),
            ("2223", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("3530", 16),
            ("36", 14),
            ("606282", 16),
            ("636368", 16),
        )
    )
    base = prefix + _digits(random, length - len(prefix) - 1)
    whole = base + luhn.calc_check_digit(base)
    if length == 16:
        four = [whole[i : i + 4] for i in range(0, 16, 4)]
        return random.choice((whole, " ".join(four), "-".join(four)))
    if length == 15:
        return random.choice((whole, f"{whole[:4]} {whole[4:10]} {whole[10:]}"))
    return whole


def _iban(random: Random) -> str:
    country, bban = random.choice(
        (
            ("DE", _digits(random, 18)),
            ("FR", "20041" + "01005" + "0500013M026" + "06"),
            ("GB", "WEST" + _digits(random, 14)),
            ("PT", "0002" + "0123" + "12345678901" + "54"),
            ("BR", "00360305" + "00001" + "0009795493" + "P1"),
            ("NL", "ABNA" + "0417164300"),
        )
    )
    whole = country + iban.calc_check_digits(country + "00" + bban) + bban
    spaced = " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))
    return random.choice((whole, spaced))


def _ssn(random: Random) -> str:
    area = random.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03d}-{random.randint(1, 99):02d}-{random.randint(1, 9999):04d}"


def _email(random: Random) -> str:
    name = random.choice(("ana.souza", "joao_silva", "m.o'brien", "k+promo", "j-doe", "x"))
    host = random.choice(("example.com", "banco.com.br", "mail.hospital.org", "loja-1.net"))
    return f"{name}@{host}"


def _phone(random: Random) -> str:
    area = random.choice(("11", "21", "31", "41", "51", "61", "71", "81", "85"))
    mobile = f"9{random.randint(6000, 9999)}"
    line = f"{random.randint(2000, 5999)}"
    last = _digits(random, 4)
    us = f"{random.choice((212, 312, 415, 617))}"
    middle = f"{random.randint(200, 999)}"
    return random.choice(
        (
            f"({area}) {mobile}-{last}",
            f"({area}) {line}-{last}",
            f"({area}){mobile}-{last}",
            f"{area} {mobile}-{last}",
            f"{area}{mobile}{last}",
            f"+55 {area} {mobile}-{last}",
            f"+55 ({area}) {line}-{last}",
            f"+55{area}{mobile}{last}",
            f"0800 {middle} {last}",
            f"({us}) {middle}-{last}",
            f"{us}-{middle}-{last}",
            f"{us}.{middle}.{last}",
            f"+1 {us}-{middle}-{last}",
            f"+1{us}{middle}{last}",
            f"+351 21 {middle} {last}",
            f"+44 20 7946 {last}",
        )
    )


def _pis(random: Random) -> str:
    base = "1" + _digits(random, 9)
    whole = next((base + d for d in "0123456789" if is_pis(base + d)), "12056412547")
    return random.choice((whole, f"{whole[:3]}.{whole[3:8]}.{whole[8:10]}-{whole[10]}"))


def _cns(random: Random) -> str:
    while True:
        whole = random.choice("789") + _digits(random, 14)
        if is_cns(whole):
            return random.choice((whole, f"{whole[:3]} {whole[3:7]} {whole[7:11]} {whole[11:]}"))


VALUES: dict[Kind, Callable[[Random], str]] = {
    "cpf": _cpf,
    "cnpj": _cnpj,
    "card": _card,
    "iban": _iban,
    "ssn": _ssn,
    "email": _email,
    "phone": _phone,
    "pis": _pis,
    "cns": _cns,
}

_NAMES: dict[Kind, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "cpf": (("CPF",), ("CPF", "CPF nº", "CPF/MF"), ("cpf", "cpf_cliente", "cpfTitular")),
    "cnpj": (("CNPJ",), ("CNPJ", "CNPJ nº", "CNPJ/MF"), ("cnpj", "cnpj_fornecedor")),
    "card": (
        ("credit card", "card", "card number", "Visa"),
        ("cartão", "cartão de crédito", "cartão final"),
        ("card_number", "cartao", "numeroCartao"),
    ),
    "iban": (("IBAN",), ("IBAN", "conta IBAN"), ("iban",)),
    "ssn": (("SSN", "social security number"), ("SSN", "número SSN"), ("ssn",)),
    "email": (("e-mail", "email address"), ("e-mail", "correio eletrônico"), ("email", "e_mail")),
    "phone": (
        ("phone", "phone number", "mobile", "Tel."),
        ("telefone", "celular", "tel.", "WhatsApp"),
        ("phone", "telefone", "phoneNumber", "celular"),
    ),
    "pis": (("PIS",), ("PIS", "PIS/PASEP", "NIS"), ("pis", "nis")),
    "cns": (("CNS",), ("CNS", "cartão SUS", "Cartão Nacional de Saúde"), ("cns",)),
}

_ENGLISH = (
    "The customer's {name} is {value}.",
    "Please update {name}: {value} before Friday, order 20240318.",
    "We could not verify {name} {value}, so the claim stays open.",
    "Maria called about invoice 99871; her {name} ({value}) was wrong in 2 of 3 records.",
    "{name}: {value}\nStatus: active",
)
_LUSOPHONE = (
    "O {name} do cliente é {value}.",
    "Favor atualizar {name}: {value} até sexta-feira, pedido 20240318.",
    "Não foi possível validar o {name} {value}; o processo continua aberto.",
    "João, portador do {name} {value}, residente em Curitiba, declara que leu o contrato.",
    "{name}: {value}\nSituação: ativa",
)


def written(kind: Kind, random: Random) -> Written:
    """Return a correct value in running text, a table, CSV or JSON, English or Portuguese."""
    value = VALUES[kind](random)
    english, lusophone, keys = _NAMES[kind]
    key = random.choice(keys)
    shape = random.randrange(6)
    if shape < 2:
        text = random.choice(_ENGLISH).format(name=random.choice(english), value=value)
    elif shape < 4:
        text = random.choice(_LUSOPHONE).format(name=random.choice(lusophone), value=value)
    elif shape == 4:
        header = random.choice(lusophone)
        delimiter = random.choice((" | ", ";", "\t"))
        rows = [("id", header, "cidade"), ("1", value, "Recife"), ("2", value, "Porto Alegre")]
        text = "\n".join(delimiter.join(row) for row in rows)
    else:
        indent = random.choice((None, 2))
        text = json.dumps({"id": 17, key: value, "ativo": True}, ensure_ascii=False, indent=indent)
    return Written(text, kind, value)


_DECOYS = (
    "Order {n10} was shipped on 2024-03-18 at 14:11:22 with tracking number {n12}.",
    "Pedido {n11} faturado na nota fiscal {n9}; protocolo {n14}.",
    "Net income — 2024: {n3},{n3}; 2023: 1,{n3},{n3}.",
    "Receita de R$ 1.{n3}.{n3},00 em 2023 e R$ 2.{n3}.{n3},50 em 2024.",
    "See section 4.1.2.3 and figure 12.3, version 10.4.2.1 of the manual.",
    "Pump P-101, part number {n4}-{n4}-{n2}, serial number {n12}, 3.5 h on 12/03/2024.",
    "The batch {n10} of {n3} units (SKU {n8}) has EAN {n13}.",
    "Between 1998-2004 and 2010-2015, 1 234 567 patients were followed for 10-20 years.",
    "ISBN 978-3-16-148410-0, DOI 10.1000/182, case {n6}/2023.",
)


def decoy(random: Random) -> str:
    """Return a sentence of ordinary numbers that are nobody's."""
    text = random.choice(_DECOYS)
    for n in range(2, 15):
        while f"{{n{n}}}" in text:
            text = text.replace(f"{{n{n}}}", "3" + _digits(random, n - 1), 1)
    return text
