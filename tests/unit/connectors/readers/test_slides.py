from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence

import pytest

from connectors.readers import Limits, ReadError, Reading

Read = Callable[..., Reading]

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
NAMES = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    f'xmlns:a="{DRAWING}/main" xmlns:r="{OFFICE}" xmlns:c="{DRAWING}/chart" '
    f'xmlns:dgm="{DRAWING}/diagram"'
)
INCH = 914_400


def text(*lines: str) -> str:
    return "".join(f"<a:p>{line}</a:p>" for line in lines)


def run(words: str, about: str = "") -> str:
    return f"{about}<a:r><a:t>{words}</a:t></a:r>"


def place(left: float, top: float, width: float = 3, height: float = 1) -> str:
    x, y, cx, cy = (int(n * INCH) for n in (left, top, width, height))
    return f'<a:xfrm><a:off x="{x}" y="{y}"/><a:ext cx="{cx}" cy="{cy}"/></a:xfrm>'


def shape(body: str, kind: str = "", where: str = "", about: str = "") -> str:
    holder = f'<p:ph type="{kind}"/>' if kind else ""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x" {about}/><p:nvPr>{holder}</p:nvPr></p:nvSpPr>'
        f"<p:spPr>{where}</p:spPr><p:txBody>{body}</p:txBody></p:sp>"
    )


def frame(inside: str) -> str:
    data = f"<a:graphic><a:graphicData>{inside}</a:graphicData></a:graphic>"
    return f"<p:graphicFrame>{data}</p:graphicFrame>"


def slide(*shapes: str, about: str = "") -> str:
    return f"<p:sld {NAMES} {about}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:sld>"


def relations(targets: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f"<Relationships>{lines}</Relationships>"


def deck(
    *slides: str, related: dict[int, list[tuple[str, str]]] | None = None, **parts: str
) -> bytes:
    ids = "".join(f'<p:sldId r:id="rId{n}"/>' for n in range(1, len(slides) + 1))
    files = {
        "ppt/presentation.xml": f"<p:presentation {NAMES}><p:sldIdLst>{ids}</p:sldIdLst>"
        f'<p:sldSz cx="{10 * INCH}" cy="{7 * INCH}"/></p:presentation>',
        "ppt/_rels/presentation.xml.rels": relations(
            [("slide", f"slides/slide{n}.xml") for n in range(1, len(slides) + 1)]
        ),
    }
    for n, markup in enumerate(slides, 1):
        files[f"ppt/slides/slide{n}.xml"] = markup
    for n, targets in (related or {}).items():
        files[f"ppt/slides/_rels/slide{n}.xml.rels"] = relations(targets)
    files |= {f"ppt/parts/{name}.xml": markup for name, markup in parts.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, markup in files.items():
            archive.writestr(name, markup)
    return buffer.getvalue()


def table(*rows: Sequence[str]) -> str:
    lines = "".join(
        "<a:tr>"
        + "".join(f"<a:tc><a:txBody>{text(run(c))}</a:txBody></a:tc>" for c in row)
        + "</a:tr>"
        for row in rows
    )
    return frame(f'<a:tbl><a:tblPr firstRow="1"/>{lines}</a:tbl>')


def test_titles_lists_tables_and_notes(read_bytes: Read) -> None:
    notes = slide(shape(text(run("Lembrar do câmbio.")), "body"), shape(text(run("1")), "sldNum"))
    first = slide(
        shape(text(run("Receita cresceu"), run("em tudo", '<a:pPr lvl="1"/>')), "body"),
        shape(text(run("Resultado ") + run("2024")), "title"),
        shape(text(run("7")), "sldNum"),
    )
    second = slide(
        shape(text(run("Tabela")), "title"),
        table(("Item", "Valor"), ("Hotel", "450"), ("Táxi", "80")),
    )
    data = deck(first, second, related={1: [("notesSlide", "../parts/notes.xml")]}, notes=notes)
    reading = read_bytes(data, "a.pptx")
    assert reading.title == "Resultado 2024"
    assert [(b.page, b.kind, b.text, b.heading) for b in reading.blocks] == [
        (1, "heading", "Resultado 2024", ()),
        (1, "list", "- Receita cresceu\n- em tudo", ("Resultado 2024",)),
        (1, "heading", "Notes", ("Resultado 2024",)),
        (1, "paragraph", "Lembrar do câmbio.", ("Resultado 2024", "Notes")),
        (2, "heading", "Tabela", ()),
        (2, "table", "Hotel — Valor: 450\nTáxi — Valor: 80", ("Tabela",)),
    ]
    assert reading.blocks[-1].cells == (("Item", "Valor"), ("Hotel", "450"), ("Táxi", "80"))


def test_bullets_and_numbers_as_the_paragraph_says(read_bytes: Read) -> None:
    number = '<a:pPr><a:buAutoNum type="arabicPeriod"/></a:pPr>'
    body = text(
        run("Passos:", "<a:pPr><a:buNone/></a:pPr>"),
        run("abrir", number),
        run("ligar", number),
        run("aviso", '<a:pPr><a:buChar char="•"/></a:pPr>'),
    )
    blocks = read_bytes(deck(slide(shape(body, "body"))), "a.pptx").blocks
    assert [(b.kind, b.text) for b in blocks[1:]] == [
        ("paragraph", "Passos:"),
        ("list", "1. abrir\n2. ligar\n- aviso"),
    ]


def test_columns_are_read_one_after_the_other_and_groups_are_placed(read_bytes: Read) -> None:
    x, y = 6 * INCH, INCH
    group = (
        f'<p:grpSp><p:grpSpPr><a:xfrm><a:off x="{x}" y="{y}"/><a:ext cx="300" cy="{2 * INCH}"/>'
        f'<a:chOff x="0" y="0"/><a:chExt cx="300" cy="{2 * INCH}"/></a:xfrm></p:grpSpPr>'
        + shape(text(run("right top")), where=place(0, 0))
        + shape(text(run("right bottom")), where=place(0, 1.1))
        + "</p:grpSp>"
    )
    markup = slide(
        group,
        shape(text(run("left bottom")), where=place(1, 2.1)),
        shape(text(run("left top")), where=place(1, 1)),
        shape(text(run("foot")), where=place(1, 6, width=8, height=0.5)),
    )
    texts = [block.text for block in read_bytes(deck(markup), "a.pptx").blocks]
    assert texts == ["Slide 1", "left top", "left bottom", "right top", "right bottom", "foot"]


def test_charts_and_diagrams(read_bytes: Read) -> None:
    def points(tag: str, *values: str) -> str:
        inner = "".join(f'<c:pt idx="{i}"><c:v>{v}</c:v></c:pt>' for i, v in enumerate(values))
        return f"<c:{tag}><c:strRef><c:strCache>{inner}</c:strCache></c:strRef></c:{tag}>"

    chart = (
        f"<c:chartSpace {NAMES}><c:chart><c:title><c:tx>{text(run('Vendas por trimestre'))}</c:tx>"
        f"</c:title><c:ser>{points('tx', 'Vendas')}{points('cat', '1Q', '2Q')}"
        f"{points('val', '10', '12.50')}</c:ser></c:chart></c:chartSpace>"
    )
    diagram = (
        f"<dgm:dataModel {NAMES}><dgm:pt><dgm:t>{text(run('Planejar'))}</dgm:t></dgm:pt>"
        f"<dgm:pt/><dgm:pt><dgm:t>{text(run('Fazer'))}</dgm:t></dgm:pt></dgm:dataModel>"
    )
    markup = slide(frame('<c:chart r:id="rId1"/>'), frame('<dgm:relIds r:dm="rId2"/>'))
    related = {1: [("chart", "../parts/chart.xml"), ("diagramData", "../parts/diagram.xml")]}
    data = deck(markup, related=related, chart=chart, diagram=diagram)
    assert [block.text for block in read_bytes(data, "a.pptx").blocks][1:] == [
        "Vendas por trimestre",
        "1Q — Vendas: 10\n2Q — Vendas: 12.5",
        "- Planejar\n- Fazer",
    ]


def test_what_nobody_sees_is_left_out(read_bytes: Read) -> None:
    first = slide(
        shape(text(run("Visible")), where=place(1, 1)),
        shape(text(run("INJECTED beside the slide")), where=place(-8, 1)),
        shape(text(run("INJECTED hidden")), where=place(1, 3), about='hidden="1"'),
    )
    second = slide(shape(text(run("INJECTED on a hidden slide"))), about='show="0"')
    reading = read_bytes(deck(first, second), "a.pptx")
    assert [block.text for block in reading.blocks] == ["Slide 1", "Visible"]
    assert reading.warnings == (
        "Hidden slides were left out: 2.",
        "Hidden text was removed at 2 places.",
    )


def test_too_many_slides_and_none(read_bytes: Read) -> None:
    for data, limits, cause in (
        (deck(), Limits(), "empty"),
        (deck(slide(), slide(), slide()), Limits(pages=2), "too_many_pages"),
        (deck("<not xml"), Limits(), "corrupt"),
    ):
        with pytest.raises(ReadError) as caught:
            read_bytes(data, "a.pptx", limits)
        assert caught.value.cause == cause
