from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from connectors.readers import ReadError, Reading

Read = Callable[..., Reading]

PUBMED = """<?xml version="1.0"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "https://dtd.nlm.nih.gov/p.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>77</PMID><Article><Journal><JournalIssue>
<Volume>5</Volume><PubDate><Year>2024</Year><Month>Mar</Month><Day>2</Day></PubDate></JournalIssue>
<Title>Heart</Title></Journal><ArticleTitle>Aspirin in <i>old</i> age.</ArticleTitle>
<ELocationID EIdType="doi">10.1/x</ELocationID><Abstract>
<AbstractText Label="METHODS">We asked.</AbstractText><AbstractText>And learned.</AbstractText>
</Abstract><AuthorList><Author><LastName>Silva</LastName><ForeName>Ana</ForeName></Author><Author>
<CollectiveName>Heart Group</CollectiveName></Author></AuthorList><Language>eng</Language></Article>
<MeshHeadingList><MeshHeading><DescriptorName>Aspirin</DescriptorName></MeshHeading>
</MeshHeadingList></MedlineCitation></PubmedArticle></PubmedArticleSet>"""

JATS = """<article article-type="research-article" xml:lang="pt"><front><journal-meta>
<journal-title-group><journal-title>Coração</journal-title></journal-title-group></journal-meta>
<article-meta><article-id pub-id-type="doi">10.2/y</article-id><title-group><article-title>Aspirina
</article-title></title-group><pub-date><year>2024</year></pub-date><abstract><p>Breve.</p>
</abstract></article-meta></front><body><sec><title>Métodos</title><p>Antes <table-wrap><label>
Tabela 1</label><table><thead><tr><th>Dose</th><th>n</th></tr></thead><tbody><tr><td>100 mg</td>
<td>7</td></tr></tbody></table></table-wrap>depois.</p><sec><title>Dados</title><list><list-item>
<p>um</p></list-item></list></sec></sec></body><back><ref-list><ref>Silva 2020</ref></ref-list>
</back></article>"""


def test_citations(read_bytes: Read) -> None:
    reading = read_bytes(PUBMED, "a.xml")
    assert reading.title == "Aspirin in old age."
    assert reading.lang == "en"
    assert [block.text for block in reading.blocks[1:]] == [
        "Article: Aspirin in old age.; pmid: 77; authors: Ana Silva, Heart Group; journal: Heart; "
        "date: 2024-03-02; volume: 5; doi: 10.1/x; mesh: Aspirin; language: eng",
        "Methods: We asked.",
        "And learned.",
    ]
    article = reading.records[0]
    assert (article.id, article.values["date"]) == ("77", date(2024, 3, 2))


def test_whole_articles(read_bytes: Read) -> None:
    reading = read_bytes(JATS, "a.xml")
    assert (reading.media_type, reading.lang) == ("application/jats+xml", "pt")
    assert [(b.kind, b.text) for b in reading.blocks[2:]] == [
        ("heading", "Resumo"),
        ("paragraph", "Breve."),
        ("heading", "Métodos"),
        ("paragraph", "Antes depois."),
        ("caption", "Tabela 1"),
        ("table", "100 mg — n: 7"),
        ("heading", "Dados"),
        ("list", "- um"),
        ("heading", "Referências"),
        ("list", "- Silva 2020"),
    ]
    assert reading.blocks[-3].heading == ("Aspirina", "Métodos", "Dados")
    assert reading.records[0].id == "10.2/y"


def test_nothing_to_cite(read_bytes: Read) -> None:
    with pytest.raises(ReadError, match="no citation"):
        read_bytes("<PubmedArticleSet></PubmedArticleSet>", "a.xml")
