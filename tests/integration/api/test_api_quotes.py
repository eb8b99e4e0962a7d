"""The API with the parts that the product ships: the bundled embedder and quote mode."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from assistant import wiring
from assistant.api.app import create_app
from assistant.models.embedder import SentenceEmbedder
from assistant.settings import Settings
from assistant.store.database import Database
from tests.support.company import Company, served, signed_in
from tests.support.streams import asked


def test_questions_in_two_languages_are_answered_by_quotes(
    database: Database, bundled: SentenceEmbedder, tmp_path: Path
) -> None:
    company = Company(database, bundled)
    company.person("ana", "finance")
    company.person("bruno")
    company.document(
        "expense-policy",
        "A taxi may be claimed up to 80 reais a ride with the receipt.",
        "Flights are booked by the travel desk at least ten days ahead.",
        allow=["group:finance"],
    )
    company.document(
        "cantina", "A cantina abre ao meio-dia e fecha às três horas da tarde.", lang="pt"
    )
    assistant = wiring.assembled(Settings(data_dir=tmp_path), database, bundled)
    with (
        served(create_app(assistant)) as url,
        closing(signed_in(url, database, "ana")) as ana,
        closing(signed_in(url, database, "bruno")) as bruno,
    ):
        english = asked(ana, "Up to how much may a taxi ride be claimed?")[-1][1]
        assert english["citations"][0]["document"] == "Expense Policy"
        assert "80 reais" in english["answer"]
        portuguese = asked(ana, "A que horas abre a cantina?")[-1][1]
        assert portuguese["lang"] == "pt"
        assert portuguese["citations"][0]["document"] == "Cantina"
        forbidden = asked(bruno, "Up to how much may a taxi ride be claimed?")[-1][1]
        assert "80 reais" not in str(forbidden)
        unknown = asked(ana, "Who painted the Mona Lisa?")[-1][1]
        assert unknown["abstained"]
