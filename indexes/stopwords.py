"""Words of a question that say nothing about its topic, per language, lower case."""

from __future__ import annotations

_EN = """
a about after again all also am an and any are as at be because been before being below between
both but by can could d did do does doing during each few for from further had has have having he
her here hers him his how i if in into is it its itself just ll m me more most my myself no nor not
of off on once only or other our ours out over own please re s same she should so some such t tell
than that the their theirs them then there these they this those through to too under until up us
ve very was we were what when where which while who whom whose why will with would you your yours
"""
_PT = """
a à ao aos após aquela aquelas aquele aqueles aquilo as às até com como da das de dela delas dele
deles depois do dos e é ela elas ele eles em entre era eram essa essas esse esses esta está estamos
estão estas estava estavam este estes eu foi foram há isso isto já lhe lhes mais mas me mesmo meu
meus minha minhas muito na não nas nem no nos nós nossa nossas nosso nossos num numa o onde os ou
para pela pelas pelo pelos por porque pode podem posso qual quais quando quanta quantas quanto
quantos que quê quem se seja sem ser será serão seu seus são só sua suas também te tem têm tinha
tu um uma umas uns você vocês vos
"""

STOPWORDS: dict[str, frozenset[str]] = {
    "en": frozenset(_EN.split()),
    "pt": frozenset(_PT.split()),
}
