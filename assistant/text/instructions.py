"""How much a text tells a model what to do, rather than people what is so.

Signs of prompt injection in English and Portuguese: orders to forget orders, words for the model,
forged roles and delimiters, orders about its answer, orders to hide something, markup that fetches.
A plain question or task is no sign: documents for people are full of them.
"""

from __future__ import annotations

import re
from functools import lru_cache

INSTRUCTION = 0.5
"""The least score of a text that is called instruction-like."""

_MODEL = (
    r"(?:ai|a\.i\.|ia|llms?|chat ?gpt|gpt|chat ?bots?|(?:ai |virtual |language )?assistants?"
    r"|copilot|language models?|modelos? de linguagem|assistentes?|rob[oô])"
)
_ORDERS = (
    r"(?:instructions?|directions?|directives?|prompts?|rules|guidelines|orders|restrictions|filters"
    r"|permissions|safeguards|context|training|programming|instru[cç][oõ]es|regras|ordens|diretrizes"
    r"|restri[cç][oõ]es|permiss[oõ]es|orienta[cç][oõ]es|contexto|comandos?)"
)
_ANSWER = (
    r"(?:answers?|repl(?:y|ies)|responses?|outputs?|messages?|respostas?|sa[ií]das?"
    r"|mensage(?:m|ns))"
)
_GIVEN = r"(?:following|given|subsequent|below|provided|seguinte|abaixo)"
_CODE = r"(?:code|script|snippet|command|program|c[oó]digo|comando)"
_YOURS = (
    r"(?:(?:your|sua?) (?:final |own )?(?:code|codebase|solution|implementation|algorithm|program"
    r"|response|answer|output|elucidation|resposta|solu[cç][aã]o|c[oó]digo)|you develop)"
)
_BEFORE = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|all|any|every|your|system|other|those"
    r"|anterior(?:es)?|acima|pr[eé]vi[ao]s|tod[ao]s|seu?s?|suas?|do sistema)"
)

_SIGNS: tuple[tuple[str, float, str], ...] = (
    (
        "override",
        0.9,
        r"\b(?:ignor(?:e|ing|ar|em)|disregard|forget|override|bypass|desconsider(?:e|ar|em)"
        r"|esque[cç](?:a|er|am)|desobede[cç]a)\b(?: (?!to\b)[\wà-ÿ,']+){0,5}? "
        rf"(?:{_BEFORE} (?:[\wà-ÿ]+ ){{0,3}}{_ORDERS}|{_ORDERS} (?:[\wà-ÿ]+ ){{0,2}}{_BEFORE})\b",
    ),
    (
        "lifted",
        0.6,
        rf"\b(?:ignore|lift|disable|suspend|reveal|ignor[ea]|revele|suspend[ae]) (?:the |as |os "
        rf"|all |any |your |todas as )?(?:hidden |system |secret )?(?:{_ORDERS}|system prompt"
        r"|prompt do sistema)\b"
        rf"|\b{_ORDERS} (?:were|are|have been|foram|est[aã]o) (?:lifted|suspended|suspens[ao]s)\b",
    ),
    (
        "new orders",
        0.8,
        rf"\b(?:new|updated|special|hidden|secret|novas?|ocultas?) {_ORDERS} (?:for|to|para) "
        rf"(?:[oa]s? |the |an? |all |any )?{_MODEL}\b|\b(?:obey|follow|siga|obede[cç]a) (?:only )?"
        r"(?:these|the following|my|estas|as seguintes|minhas) (?:instructions|orders|commands"
        r"|instru[cç][oõ]es|ordens)\b|\bdecode and (?:obey|follow|execute|run)\b",
    ),
    (
        "for the model",
        0.6,
        rf"(?:^|[\n>\"'(]|--)\s*(?:(?:note|attention|message|nota|aten[cç][aã]o|dear|hello|hi|hey|caro"
        rf"|ol[aá]),?(?: to| for| para)?(?: the| any| all| o| a)? {_MODEL} ?(?:[:,]|reading|que l)"
        rf"|{_MODEL} ?:)"
        rf"|\bif you are an? {_MODEL}\b|\bse voc[eê] [eé] uma? {_MODEL}\b"
        r"|^\s*(?:system|sistema|assistant|assistente) ?:",
    ),
    (
        "forged role",
        0.8,
        r"<\|[a-z_]+\|>|\[/?inst\]|<</?sys>>|</?(?:system|passage|passagem|context|contexto"
        r"|document|documento|instructions?)>|^#{2,} ?(?:system|instruction|end of|fim d)",
    ),
    (
        "its answer",
        0.55,
        rf"\b(?:in|on|to|of|with|em|na|no|da|de) (?:all )?(?:your|each|every|sua|cada"
        rf"|tod[ao]s?(?: as)?) (?:next |final |own |pr[oó]xima )?{_ANSWER}\b"
        rf"|\b(?:provide|give|format|enhance|end|begin|start|finish|conclude|augment|enrich|encode"
        rf"|deliver|compose|from|replace|termine|comece) (?:your|sua) {_ANSWER}\b"
        rf"|\b(?:your|sua) {_ANSWER} (?:must|should|shall|will|to|in|as|using|with|deve|em)\b"
        r"|\b(?:only|always|sempre|apenas|somente|never|nunca) (?:respond|reply|answer|responda)\b"
        r"|\b(?:respond|reply|answer|responda)\w* (?:only|always|exclusively|sempre|apenas|somente"
        r"|s[oó])\b|\b(?:say|diga|output|print|write|escreva) (?:only )?the (?:word|sentence"
        r"|phrase)|\brepeat the (?:word|sentence|phrase)|\brefuse every (?:question|request)"
        r"|\b(?:when|whenever|se|quando) (?:you are )?(?:asked|perguntad\w+)[^.\n]{0,60}"
        r"\b(?:add|say|answer|reply|diga|responda|some)\b",
    ),
    (
        "persona",
        0.5,
        r"\b(?:you are now (?:an? |the |in |called )|you are going to (?:act|be )|(?:you|please"
        r"|must|should|and|will) act as (?:an?|if|my)|pretend (?:to be|you)"
        r"|from now on,? (?:you|refuse|answer|always)|immerse yourself|do anything now"
        r"|developer mode|jailbreak|voc[eê] agora [eé]|aja como|finja (?:ser|que)"
        r"|a partir de agora,? (?:voc[eê]|responda))\b",
    ),
    (
        "secrecy",
        0.5,
        r"\b(?:without|sem) (?:saying|telling|mentioning|informing|asking|avisar|dizer|mencionar"
        r"|informar)(?: so\b| the user\b| anyone\b| it\b| isso\b| ao usu[aá]rio\b| a ningu[eé]m\b)"
        r"|\b(?:do not|don't|never|n[aã]o|nunca) (?:tell|mention|reveal|inform|conte|mencione"
        r"|revele|avise)\b[^.\n]{0,30}\b(?:user|reader|anyone|this|usu[aá]rio|leitor|ningu[eé]m)\b",
    ),
    (
        "citations",
        0.55,
        r"\bcite (?:\[\d+\]|all|only|document|the source|todas|apenas)"
        r"|\bmust cite\b|\bdeve citar\b",
    ),
    (
        "memory",
        0.6,
        r"\b(?:remember|lembre-se d?|memorize|guarde)[^.\n]{0,40}\b(?:future|all|todas as|futuras) "
        r"(?:[\wà-ÿ]+ )?(?:conversations?|chats?|conversas|sessions?)\b",
    ),
    (
        "fetching markup",
        0.6,
        r"!\[[^\]]{0,80}\]\((?:https?:)?//[^)\s]*\?[^)]*\)|!\[[^\]]{0,80}\]\(data:"
        r"|<(?:script|iframe|object|embed|form)\b|\bon(?:error|load|toggle|click) ?="
        r"|\b(?:javascript|vbscript):|@import ['\"]|!\[\]\[\w+\]"
        r"|[?&](?:d|data|q|c|x)=(?:answer|context|summary|resposta|contexto|resumo|q)\b",
    ),
    (
        "code to adopt",
        0.5,
        rf"\b{_GIVEN} {_CODE}\b[^\n]{{0,70}}\b{_YOURS}\b"
        rf"|\b{_YOURS}\b[^\n]{{0,70}}\b{_GIVEN} {_CODE}\b",
    ),
    (
        "model",
        0.25,
        r"\b(?:large language model|modelo de linguagem|chat ?gpt|openai|as an ai|system prompt"
        r"|prompt do sistema|prompt injection)\b",
    ),
)
_COMPILED = tuple(
    (name, weight, re.compile(pattern, re.IGNORECASE | re.MULTILINE))
    for name, weight, pattern in _SIGNS
)


@lru_cache(maxsize=1_024)
def signs(text: str) -> tuple[str, ...]:
    """Return the names of the signs that a text shows."""
    return tuple(name for name, _, pattern in _COMPILED if pattern.search(text))


def instruction_score(text: str) -> float:
    """Return from 0 to 1 how much a text tells a model what to do: each sign adds its weight."""
    found = signs(text)
    unlike = 1.0
    for name, weight, _ in _COMPILED:
        if name in found:
            unlike *= 1.0 - weight
    return round(1.0 - unlike, 3)
