from __future__ import annotations

from collections.abc import Callable

from connectors.readers import Reading

Read = Callable[..., Reading]

PAGE = """= Bomba P-101
:lang: pt-BR
// INJECTED
////
INJECTED
////

Leia o *manual* antes, veja https://example.com/x[a página].

== Partida

.Passos
. Abra a _válvula_.
. Ligue.
+
image::x.png[INJECTED]

* óleo
** nível

[source,bash]
----
start --now
----

|===
|Item |Valor

|Pressão |4,5 bar
|Vazão |12 m³/h
|===

include::other.adoc[]
"""


def test_blocks(read_bytes: Read) -> None:
    reading = read_bytes(PAGE, "a.adoc")
    assert (reading.media_type, reading.title, reading.lang) == (
        "text/asciidoc",
        "Bomba P-101",
        "pt",
    )
    assert [(b.kind, b.text) for b in reading.blocks] == [
        ("heading", "Bomba P-101"),
        ("paragraph", "Leia o manual antes, veja a página."),
        ("heading", "Partida"),
        ("caption", "Passos"),
        ("list", "1. Abra a válvula.\n2. Ligue.\n- óleo\n- nível"),
        ("code", "start --now"),
        ("table", "Pressão — Valor: 4,5 bar\nVazão — Valor: 12 m³/h"),
    ]
    assert reading.warnings == ("Text included from another file was not read.",)
