"""Where sentences begin and end, in English and Portuguese.

A newline always ends a sentence, so list lines and table rows stay whole. Within a line a full
stop ends a sentence unless it belongs to an abbreviation, an initial, a number or a list number.
Where it can't be known, two sentences stay together: a quote with one sentence too many still
reads, half a sentence does not.
"""

from __future__ import annotations

import re

Span = tuple[int, int]

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_STOP = re.compile(r"(?:[.!?…]+|[。！？]+)(?:[\"'”’»)\]*_]|\[\d+\])*")
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘«/—–]+$")
_NEXT_WORD = re.compile(r"[\"'“‘«(\[{*_]*([^\W\d_]+)(\.?)")
_NEXT_NUMBER = re.compile(r"[(\[§#]*(?:\d|(?!I [a-z])[IVXLC]+\b)")
_LIST_NUMBER = re.compile(r"[(\[]?(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivxIVX]{1,5})[)\]]?\.")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,4}\.)+[^\W\d_]{1,3}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words(
    "mr mrs ms mx dr dra drs sr sra srs srta prof profa profª eng engª engº exmo exma ilmo ilma "
    "gen col cel cap capt cmdr lt maj sgt rev hon gov sen rep pres st ste sto sta av pça rod "
    "vs cf ca approx aprox e.g i.e p.ex ex v.g viz resp obs cód cod tel fax cel ref refs "
    "mín máx proc adv desemb"
)
_BEFORE_NUMBER = _words(
    "no nos nr nrs n nº núm num art arts artº p pp pg pgs pág págs pag pags fl fls fig figs tab "
    "tabs eq eqs sec secs sect seç séc cap caps ch chap vol vols ed par pars inc al cl "
    "app rev ver v jan feb fev mar apr abr may mai jun jul aug ago sep sept set oct out nov "
    "dec dez rm ste bl ap apto lt qd km res port"
)
_MAYBE_LAST = _words(
    "inc corp ltd ltda co cos cia plc llc bros jr sr filho dept depto univ assn intl est "
    "etc al seg segs min max hr hrs oz lb lbs ft sq s.a s/a u.s u.k e.u u.n d.c"
)
_STARTERS = _words(
    "the this that these those it its in on at we you they he she our your their if when where "
    "while after before however for from with as an there all any each no not please but and "
    "o os a as um uma em no na nos nas este esta estes estas esse essa isso isto ele ela eles "
    "elas se quando onde após antes para por com como não todos todas cada mas e é são foi "
    "foram seu sua nosso nossa caso também assim além segundo conforme porém"
)


def lines(text: str) -> list[Span]:
    """Return the span of each line that isn't blank: the unit of a table's text is its row."""
    return [span for m in _LINE.finditer(text) if (span := _strip(text, m.start(), m.end()))]


def sentences(text: str) -> list[Span]:
    """Return the spans of the sentences of a text.

    Spans are ordered and don't overlap; `text[start:end]` has no space at either end; every
    character outside all spans is white space.
    """
    return [span for start, end in lines(text) for span in _of_line(text, start, end)]


def _of_line(text: str, start: int, end: int) -> list[Span]:
    spans = []
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if stop.end() < end and _ends(text, begin, stop, end):
            if span := _strip(text, begin, stop.end()):
                spans.append(span)
            begin = stop.end()
    if span := _strip(text, begin, end):
        spans.append(span)
    return spans


def _strip(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _ends(text: str, begin: int, stop: re.Match[str], end: int) -> bool:
    """Say whether a sentence ends at `stop`, given that the line goes on behind it."""
    mark = stop.group()
    if mark[0] in "。！？":
        return True
    if not text[stop.end()].isspace():
        return False
    after = stop.end()
    while after < end and text[after].isspace():
        after += 1
    if _opens_lowercase(text, after, end):
        return _careless(text, begin, stop)
    if not mark.startswith(".") or mark.startswith(".."):
        return True
    return _full_stop_ends(text, begin, stop, after, end)


def _full_stop_ends(text: str, begin: int, stop: re.Match[str], after: int, end: int) -> bool:
    word = _word_before(text, begin, stop.start())
    lowered = word.lower()
    closed = len(stop.group().rstrip("*_")) > 1
    if closed and not word:
        return True
    if stop.start() - begin < 20 and _LIST_NUMBER.fullmatch(text[begin : stop.start() + 1].strip()):
        return False
    if lowered in _BEFORE_NUMBER and _NEXT_NUMBER.match(text, after, end):
        return False
    if lowered in _TITLES:
        return closed
    if lowered == "etc":
        return True
    if lowered in _MAYBE_LAST or _DOTTED.fullmatch(word) or _is_initial(word):
        return _is_starter(text, after, end)
    return True


def _opens_lowercase(text: str, after: int, end: int) -> bool:
    found = _NEXT_WORD.match(text, after, end)
    return found is not None and found.group(1)[0].islower()


def _careless(text: str, begin: int, stop: re.Match[str]) -> bool:
    """Writers who begin sentences in lower case: split only behind a plain word."""
    word = _word_before(text, begin, stop.start())
    first = next((c for c in text[begin : stop.start()] if c.isalnum()), "")
    known = _TITLES | _BEFORE_NUMBER | _MAYBE_LAST
    return first.islower() and len(word) > 3 and word.isalpha() and word.lower() not in known


def _word_before(text: str, begin: int, stop: int) -> str:
    found = _LAST_WORD.search(text, max(begin, stop - 40), stop)
    return found.group() if found else ""


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isupper()


def _is_starter(text: str, after: int, end: int) -> bool:
    found = _NEXT_WORD.match(text, after, end)
    return bool(found and not found.group(2) and found.group(1).lower() in _STARTERS)
