from __future__ import annotations

import pytest

from assistant.models.asked import Kind, asked, holds


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("Quantos pontos o cliente precisa juntar?", {"number"}),
        ("What was the common equity tier 1 ratio?", {"number"}),
        ("Quanto custa a furadeira?", {"money"}),
        ("Qual é o salário do diretor?", {"money"}),
        ("Qual o prazo de devolução?", {"duration"}),
        ("How long are points valid?", {"duration"}),
        ("Quando vence o contrato?", {"date"}),
        ("Until when is the quotation valid?", {"date"}),
        ("A que horas a loja abre?", {"time"}),
        ("Who chairs the risk committee?", {"person"}),
        ("Para quem eu ligo?", {"person"}),
        ("Qual técnico trocou a bateria?", {"person"}),
        ("Onde fica o extintor?", {"place"}),
        ("Quais produtos a loja não aceita de volta?", {"list"}),
        ("O que devo fazer quando a prensa mostra o alarme?", {"steps"}),
        ("Why did Pix stop working?", {"reason"}),
        ("Can I wear gel polish?", set()),
    ],
)
def test_kinds(question: str, kinds: set[Kind]) -> None:
    assert asked(question).kinds == kinds


@pytest.mark.parametrize(
    ("question", "units"),
    [
        ("How many hours of training?", {"hour"}),
        ("Quantos dias úteis?", {"business day"}),
        ("What is the maximum torque of the drill?", {"Nm"}),
        ("How loud is the drill?", {"dB"}),
        ("Quantos visitantes podem entrar?", set()),
    ],
)
def test_units(question: str, units: set[str]) -> None:
    assert asked(question).units == units


def test_names_of_things_and_times() -> None:
    wanted = asked("Who was on call for P-101 on 12 December 2025?")
    assert wanted.codes == {"P101"}
    assert wanted.years == {"2025"}
    assert wanted.days == {(2025, 12, 12)}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("number", "No limit applies.", False),
        ("number", "até três visitantes", True),
        ("money", "R$ 300,00", True),
        ("money", "300 kg", False),
        ("duration", "válido por 18 meses", True),
        ("duration", "artigo 18", False),
        ("date", "em 27 de março", True),
        ("date", "na loja", False),
        ("time", "abre às 9h30", True),
        ("person", "ask Sandra Meireles", True),
        ("person", "ask the regional manager", True),
        ("person", "ask nobody", False),
        ("list", "anything", True),
    ],
)
def test_holds(kind: Kind, text: str, expected: bool) -> None:
    assert holds(kind, text) is expected
