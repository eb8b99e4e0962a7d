"""What the pages say, in English and Brazilian Portuguese.

English messages stand in the source, `say("…")`, and their translations in
`locale/<language>/LC_MESSAGES/ui.po`, which is read as it is: there is nothing to compile.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Literal

from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

Lang = Literal["en", "pt"]

LANGS: dict[Lang, str] = {"en": "English", "pt": "Português"}
LOCALES: dict[Lang, str] = {"en": "en", "pt": "pt_BR"}
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
FOLDER = Path(__file__).parent / "locale"


def mark(message: str) -> str:
    """Mark a message that is said elsewhere, so that it is found for translation."""
    return message


@dataclass(frozen=True, slots=True)
class Speech:
    """Says messages in one language; `{names}` in a message stand for the values given."""

    lang: Lang

    def __call__(self, message: str, **values: object) -> str:
        """Say a message."""
        return _translations(self.lang).gettext(message).format(**self._written(values))

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """Say a message in the form that fits the number `{n}`."""
        message = _translations(self.lang).ngettext(one, many, n)
        return message.format(**self._written({"n": n, **values}))

    def day(self, moment: date | datetime) -> str:
        """Write a day."""
        return format_date(moment, "medium", locale=LOCALES[self.lang])

    def seconds(self, value: float) -> str:
        """Write a duration with one decimal."""
        return str(format_decimal(round(value, 1), locale=LOCALES[self.lang]))

    def ago(self, moment: datetime) -> str:
        """Say how long ago something was."""
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        passed = min(moment - datetime.now(UTC), -datetime.resolution)
        return format_timedelta(passed, add_direction=True, locale=LOCALES[self.lang])

    def until(self, moment: datetime) -> str:
        """Say in how much time something will be."""
        left = max(moment - datetime.now(UTC), datetime.resolution)
        return format_timedelta(left, add_direction=True, locale=LOCALES[self.lang])

    def lasting(self, seconds: float) -> str:
        """Write a duration roughly, in its largest unit."""
        return format_timedelta(timedelta(seconds=seconds), locale=LOCALES[self.lang])

    def exactly(self, seconds: float) -> str:
        """Write a duration in the largest unit that it fills without a rest."""
        n, unit = next(
            (seconds / size, unit) for unit, size in _UNITS if seconds % size == 0 or size == 1
        )
        return str(format_unit(n, f"duration-{unit}", locale=LOCALES[self.lang]))

    def number(self, value: int) -> str:
        """Write a whole number."""
        return str(format_decimal(value, locale=LOCALES[self.lang]))

    def moment(self, moment: datetime) -> str:
        """Write a day and a time, in UTC."""
        return format_datetime(
            moment.astimezone(UTC), "d MMM y, HH:mm 'UTC'", locale=LOCALES[self.lang]
        )

    def instant(self, moment: datetime) -> str:
        """Write a day and a time with seconds, in UTC."""
        return format_datetime(
            moment.astimezone(UTC), "d MMM y, HH:mm:ss", locale=LOCALES[self.lang]
        )

    def _written(self, values: dict[str, object]) -> dict[str, object]:
        locale = LOCALES[self.lang]
        return {
            name: format_decimal(value, locale=locale) if isinstance(value, int) else value
            for name, value in values.items()
        }


def language(tag: str | None) -> Lang:
    """Return the language that fits a tag such as `pt-BR` best."""
    return "pt" if (tag or "").lower().startswith("pt") else "en"


@cache
def _translations(lang: Lang) -> NullTranslations:
    """Return the translations of a language; they are the same for everybody."""
    if lang == "en":
        return NullTranslations()
    path = FOLDER / LOCALES[lang] / "LC_MESSAGES" / "ui.po"
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=LOCALES[lang]))
    compiled.seek(0)
    return GNUTranslations(compiled)
