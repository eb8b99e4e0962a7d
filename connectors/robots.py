"""What a site's robots.txt allows (RFC 9309): groups, longest match, `*` and `$`."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_BYTES = 512_000
"""RFC 9309 asks for at least 500 KiB; what follows is not read."""
MAX_RULES = 5_000


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for one robot; `delay_s` is the pause that the site asks for."""

    rules: tuple[tuple[str, bool], ...] = ()
    delay_s: float = 0.0
    sitemaps: tuple[str, ...] = ()

    def allows(self, target: str) -> bool:
        """Return whether a path with its query may be fetched; of equals, allow wins."""
        if target == "/robots.txt":
            return True
        best, allowed = -1, True
        for pattern, allow in self.rules:
            longer = len(pattern) > best or (len(pattern) == best and allow)
            if longer and _matches(pattern, target):
                best, allowed = len(pattern), allow
        return allowed


def parse(content: bytes, product: str) -> Robots:
    """Read robots.txt for a product token, such as `assistant`; nonsense lines are passed over."""
    own: list[tuple[str, bool]] = []
    others: list[tuple[str, bool]] = []
    delays: dict[str, float] = {}
    sitemaps: list[str] = []
    agents: set[str] = set()
    named = in_rules = False
    for key, value in _lines(content):
        if key == "sitemap":
            sitemaps.append(value)
        elif key == "user-agent":
            agents = set() if in_rules else agents
            in_rules = False
            agents.add("own" if value.lower() == product.lower() else value.lower())
            named |= "own" in agents
        elif key in ("allow", "disallow", "crawl-delay"):
            in_rules = True
            for agent, rules in (("own", own), ("*", others)):
                if agent not in agents:
                    continue
                if key == "crawl-delay":
                    delays[agent] = _seconds(value)
                elif value and len(rules) < MAX_RULES:
                    rules.append((_normal(value), key == "allow"))
    chosen, agent = (own, "own") if named else (others, "*")
    return Robots(tuple(chosen), delays.get(agent, 0.0), tuple(sitemaps[:100]))


def _lines(content: bytes) -> list[tuple[str, str]]:
    text = content[:MAX_BYTES].decode("utf-8-sig", "replace")
    found = []
    for line in re.split(r"[\r\n]+", text):
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            found.append((key.strip().lower(), value.strip()))
    return found


def _normal(pattern: str) -> str:
    return re.sub(r"\*+", "*", pattern)


def _matches(pattern: str, target: str) -> bool:
    """Match without a regular expression: stars in a row can't make it slow."""
    anchored = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not target.startswith(first):
        return False
    at = len(first)
    if not others:
        return not anchored or at == len(target)
    for part in others[:-1]:
        at = target.find(part, at)
        if at < 0:
            return False
        at += len(part)
    last = others[-1]
    if anchored:
        return len(target) - at >= len(last) and target.endswith(last)
    return target.find(last, at) >= 0


def _seconds(value: str) -> float:
    return min(float(value), 60.0) if re.fullmatch(r"\d+(\.\d+)?", value) else 0.0
