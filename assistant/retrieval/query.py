"""A follow-up question rewritten so that it can be searched alone, by rules, in EN and PT.

Only the person's own questions are used, never an answer: what a document says can't steer what
is searched next. The result is shown to the person, who can edit it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.domain import Lang, Turn
from assistant.text.words import fold, is_function_word, words

_CONNECTIVE = re.compile(
    r"^(?:(?:ok(?:ay)?|thanks|thank you|obrigad[oa]|certo|entao|so)[\s,.!]+)*"
    r"(?:(?:and|but|or|also|e|mas|ou)\b[\s,]*)?"
    r"(?:(?:what|how)\s+about|what\s+if\s+it\s+is|same\s+for|(?:e\s+)?quanto\s+a(?:o|os|s)?"
    r"|no\s+caso\s+d[aeo]s?"
    r"|o\s+mesmo\s+para|e\s+se\s+for|and|but|or|also|e|mas|ou)\b[\s,]*"
)
_PREPOSITION = re.compile(
    r"^(?:in|for|on|at|from|to|under|with|without|by|during|after|before|since|of|as|em|na|no"
    r"|nas|nos"
    r"|para|pra|pro|com|sem|por|durante|apos|depois|antes|desde|de|da|do|das|dos|sob|como|ao|aos)\b"
)
_REFERENCE = re.compile(
    r"\b(?:it|they|them|he|she|him|this|these|those|ones?|the same|the (?:first|second|third"
    r"|last|other)"
    r"|isso|isto|ele|ela|eles|elas|dele|dela|deles|delas|nele|nela|neles|nelas|nisso|disso|disto"
    r"|esse|essa|esses|essas|desse|dessa|desses|dessas|nesse|nessa|aquele|aquela|aquilo|daquele"
    r"|daquela"
    r"|o mesmo|a mesma|[oa] (?:primeir[oa]|segund[oa]|terceir[oa]|ultim[oa]|outr[oa]))\b"
)
_POSSESSIVE = re.compile(r"\b(?:its|their|his|theirs)\b")
_THAT = re.compile(
    r"\b(?:is|was|does|did|can|will|would|about|of|for|in|on|with|after|before|under|by|to|why|how"
    r"|when|where)\s+that\b(?!\s+(?:the|an?|we|you|i|they|he|she|it)\b)|^that\b"
)
_NO_REFERENCE = re.compile(
    r"\b(?:is|was|does|will|would|can|may)\s+it\s+(?:\w+\s+)?(?:take|cost|possible|allowed"
    r"|necessary|mandatory"
    r"|required|permitted|ok|okay|true)\b(?=\s+\w)"
    r"|\bthis\s+(?:year|month|week|quarter|company|bank|hospital|store|plant|factory)\b"
    r"|\b(?:n?ess[ea])\s+(?:ano|mes|semana|trimestre|empresa|banco|hospital|loja|fabrica)\b"
    r"|\bthe\s+(?:same\s+day|last\s+\w+|first\s+\w+|second\s+\w+|third\s+\w+|other\s+\w+)\b"
    r"|\b[oa]\s+(?:primeir|segund|terceir|ultim|outr)[oa]\s+\w+\b"
)
_ONE = re.compile(r"\bthe\s+(?:first|second|third|last|other)\s+one\b")
_WH_ONLY = re.compile(
    r"^(?:why|how|when|where|who|which(?: ones?)?|how (?:much|many|long|often|so)|since when"
    r"|until when|by when"
    r"|and you|why not|por ?que|como|quando|onde|quem|quanto|quantos|quantas|qual|quais"
    r"|desde quando|ate quando"
    r"|com que frequencia|what else|o que mais|algo mais|anything else|more details?"
    r"|mais detalhes)$"
)
_VERB = re.compile(
    r"\b(?:do (?:i|we|you|they|the)|^do (?:\w+ )?\w+s|is|are|was|were|does|did|can|could|may"
    r"|must|should|will"
    r"|would|has|have|had|need|needs|get|gets"
    r"|e|sao|foi|foram|era|sera|tem|ha|pode|podem|posso|deve|devem|preciso|precisa|fica|existe"
    r"|existem|faz"
    r"|fazem|faco|vale|custa|cobra|recebe|\w{3,}(?:amos|emos|imos))\b|é|está|há"
)
_PERIODS = (
    re.compile(r"(?<!\w)(?:q[1-4]|[1-4][tq](?:\d\d)?|[1-4]º? trimestre)(?!\w)", re.I),
    re.compile(r"(?<![\w-])(?:19|20)\d\d(?![\w-])"),
    re.compile(
        r"\b(?:january|february|march|april|june|july|august|september|october|november|december"
        r"|janeiro"
        r"|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro)\b",
        re.I,
    ),
)
_CODE = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Z][\w]*(?:-[\w]+)*\b|\b[A-Z]{2,5}\b(?!\s)")
_NAME = re.compile(r"(?<=[a-záéíóúâêôãõç,] )[A-Z][\w&'-]+(?:\s+(?:d[aeo]s?\s+)?[A-Z][\w&'-]+)*")
_OPENING = re.compile(
    r"^(?:(?:please|por favor|me diga|tell me|and|e)\b[\s,]*)*"
    r"(?:(?:what|which|who|whom|whose|where|when|why|how(?:\s+(?:much|many|long|often|do|does))?"
    r"|qual|quais|quem"
    r"|onde|quando|por que|porque|como|quantos?|quantas?|o que|que|em que"
    r"|a partir de quando)\b\s*)?"
    r"(?:(?:is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|é|e|são"
    r"|sao|foi|foram|era"
    r"|será|sera|tem|há|ha|pode|podem|posso|deve|devem|fica|ficam)\b\s*)?"
    r"(?:(?:i|we|you|one|eu|nós|a gente|se)\b\s*)?(?:(?:the|an?|os?|as?|um|uma)\b\s*)?",
    re.I,
)
_SAYS_WHAT = re.compile(
    r"^(?:what|which|who|qual|quais|quem|o que)\s+(?:is|are|was|were|é|são|foi|foram|era)\s+", re.I
)
_LATER_PHRASE = re.compile(
    r"\s(?:in|for|on|at|from|of|under|with|during|em|no|na|nos|nas|de|do|da|dos|das|para"
    r"|com)\s.*$",
    re.I,
)
_SUBJECT_PRONOUN = re.compile(
    r"\b(?:it|they|them|this|that|isso|isto|eles?|elas?)\b(?!\s+(?:one|\w+\s+(?:is|are)\b))", re.I
)
_POSSESSIVE_OF = re.compile(r"\b([oa]s?\s+)?(\w+)\s+del[ea]s?\b", re.I)


def condense(question: str, history: Sequence[Turn], lang: Lang) -> str:
    """Return the question as it reads without the conversation before it.

    A question that stands alone is returned as it is; one that leans on the conversation takes
    over the topic of the question before it (itself completed from the ones before).
    """
    standalone = ""
    for turn in history:
        standalone = _completed(turn.question.strip(), standalone, lang)
    return _completed(question.strip(), standalone, lang)


def is_dependent(question: str) -> bool:
    """Tell whether a question leans on the one before it."""
    folded = fold(question).strip(" ?!.…")
    if not folded or _WH_ONLY.match(folded):
        return True
    n_content = sum(not is_function_word(word) for word in words(question))
    without_verb = _VERB.search(folded) is None
    if connective := _CONNECTIVE.match(folded):
        rest = folded[connective.end() :]
        if n_content <= 3 or (_VERB.search(rest) is None and n_content <= 6):
            return True
    if _PREPOSITION.match(folded) and without_verb and n_content <= 4:
        return True
    if n_content <= 1 and without_verb and "?" in question:
        return True
    return _refers_back(folded)


def _refers_back(folded: str) -> bool:
    if _ONE.search(folded):
        return True
    cleared = _NO_REFERENCE.sub(" ", folded)
    for pattern, n_before in ((_REFERENCE, 2), (_THAT, 2), (_POSSESSIVE, 1)):
        for match in pattern.finditer(cleared):
            before = [w for w in words(cleared[: match.start()]) if not is_function_word(w)]
            if len(before) < n_before:
                return True
    return False


def _completed(question: str, previous: str, lang: Lang) -> str:
    if not previous or not is_dependent(question):
        return question
    rest = _without_connective(question)
    if swapped := _swapped(rest, previous):
        return swapped
    if _refers_back(fold(question)) or _VERB.search(fold(rest)):
        return _with_topic(question, rest, previous)
    if _WH_ONLY.match(fold(rest).strip(" ?!.…")):
        return _with_topic(question, rest, previous)
    return _appended(rest, previous, lang)


def _without_connective(question: str) -> str:
    """Cut `and`, `what about`, `e quanto a` from the start."""
    folded = "".join(fold(c)[:1] or c for c in question)
    match = _CONNECTIVE.match(folded)
    return question[match.end() :].strip() if match else question


def _swapped(rest: str, previous: str) -> str | None:
    """Put a period, code or name of the follow-up in the place of its kind in `previous`."""
    plain = rest.strip(" ?!.")
    if len(words(plain)) > 6 or _VERB.search(fold(plain)):
        return None
    swapped, left = previous, plain
    for pattern in (*_PERIODS, _CODE):
        new, old = pattern.findall(left), pattern.findall(swapped)
        if len(new) == 1 and len(old) == 1:
            swapped = pattern.sub(new[0], swapped)
            left = pattern.sub(" ", left)
    if swapped != previous and all(is_function_word(word) for word in words(left)):
        return swapped
    names = _NAME.findall(previous)
    if not _refers_back(fold(plain)) and (other := _other_subject(plain, previous)):
        return other
    if names and (match := _NAME.search(" x " + left)) and match.group() == _last_words(left):
        return previous.replace(names[-1], match.group())
    return _other_phrase(plain, previous)


def _last_words(text: str) -> str:
    """Return what follows the leading function words."""
    parts = text.split()
    while parts and is_function_word(parts[0]):
        parts = parts[1:]
    return " ".join(parts)


def _other_phrase(plain: str, previous: str) -> str | None:
    """`for contractors` takes the place of `for managers` at the end of the question before."""
    if not _PREPOSITION.match(fold(plain)):
        return None
    preposition = plain.split()[0]
    head, found, tail = previous.rstrip(" ?!.").rpartition(f" {preposition.lower()} ")
    if found and head and len(words(tail)) <= 6 and _VERB.search(fold(tail)) is None:
        kept = _LATER_PHRASE.search(tail)
        return f"{head} {plain[0].lower()}{plain[1:]}{kept.group() if kept else ''}?"
    return None


def _other_subject(plain: str, previous: str) -> str | None:
    """`o EBITDA` takes the place of `o lucro` in `Qual foi o lucro do banco em 2025?`."""
    before = previous.rstrip(" ?!.…")
    opening = _SAYS_WHAT.match(before)
    if not opening or not re.match(r"(?:the|os?|as?)\s", plain, re.I):
        return None
    subject, later = plain, _LATER_PHRASE.search(before[opening.end() :])
    tail = later.group() if later else ""
    for pattern in _PERIODS:
        new, old = pattern.findall(subject), pattern.findall(tail)
        if len(new) == 1 and len(old) == 1:
            tail = pattern.sub(new[0], tail)
            subject = re.sub(r"\s+(?:in|for|em|de|no|na)\s*$", "", pattern.sub("", subject).strip())
    return f"{opening.group()}{subject}{tail}?"


def _topic(previous: str) -> str:
    topic = _OPENING.sub("", previous.strip(" ?!.…"), count=1).strip()
    return topic or previous.strip(" ?!.…")


def _with_topic(question: str, rest: str, previous: str) -> str:
    """Name what a pronoun means, in its place where that reads well, else behind the question."""
    said = _SAYS_WHAT.sub("", previous.strip(" ?!.…"))
    names_it = said != previous.strip(" ?!.…") and len(words(said)) <= 10
    if names_it and len(_SUBJECT_PRONOUN.findall(rest)) == 1 and not _POSSESSIVE_OF.search(rest):
        return _capital(_SUBJECT_PRONOUN.sub(lambda _: said, rest))
    return f"{_capital(rest if rest else question).rstrip(' ?!.…')} ({_topic(previous)})?"


def _appended(rest: str, previous: str, lang: Lang) -> str:
    base, plain = previous.rstrip(" ?!.…"), rest.strip(" ?!.…")
    if _PREPOSITION.match(fold(plain)):
        return f"{base} {plain[0].lower()}{plain[1:]}?"
    return f"{base}, {'sobre' if lang == 'pt' else 'about'} {plain}?"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
