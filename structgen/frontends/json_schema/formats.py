"""The formats, most of them as ECMA patterns over the whole string; encodings of content as well.

Each is what the RFC that the standard cites says, calendar included: no 31 April, 29 February in leap years
only. A leap second is written ``23:59:60`` and only as UTC (``Z`` or ``+00:00``); an offset that would make
it so is refused. What a format means beyond what an automaton can tell stands in `UNCHECKED`, for the report.
Any other name is unknown and an annotation.
"""

from __future__ import annotations

from functools import lru_cache

from ...limits import Limits
from ...regex import CharDFA
from . import idn_formats, languages, regex_format
from .kept import kept

_LEAP = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DATE = (
    r"(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    rf"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"(?:{_CLOCK}:[0-5][0-9](?:\.[0-9]+)?(?:[zZ]|[+-]{_CLOCK})|23:59:60(?:\.[0-9]+)?(?:[zZ]|[+-]00:00))"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_H = r"[0-9A-Fa-f]{1,4}"
_LS32 = rf"(?:{_H}:{_H}|{_IPV4})"
_IPV6 = "|".join(
    [rf"(?:{_H}:){{6}}{_LS32}", rf"::(?:{_H}:){{5}}{_LS32}"]
    + [rf"(?:(?:{_H}:){{0,{5 - n}}}{_H})?::(?:{_H}:){{{n - 1}}}{_LS32}" for n in range(5, 0, -1)]
    + [rf"(?:(?:{_H}:){{0,5}}{_H})?::{_H}", rf"(?:(?:{_H}:){{0,6}}{_H})?::"]
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = rf"{_LABEL}(?:\.{_LABEL})*"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_EMAIL = rf"(?:{_DOT_ATOM}|{_QUOTED})@(?:{_LABEL}(?:\.{_LABEL})*|\[(?:{_IPV4}|IPv6:(?:{_IPV6}))\])"
_SECONDS = r"[0-9]+S"
_MINUTES = rf"[0-9]+M(?:{_SECONDS})?"
_HOURS = rf"[0-9]+H(?:{_MINUTES})?"
_CLOCKED = rf"T(?:{_HOURS}|{_MINUTES}|{_SECONDS})"
_DAYS = r"[0-9]+D"
_MONTHS = rf"[0-9]+M(?:{_DAYS})?"
_YEARS = rf"[0-9]+Y(?:{_MONTHS})?"
_DURATION = rf"P(?:(?:{_DAYS}|{_MONTHS}|{_YEARS})(?:{_CLOCKED})?|{_CLOCKED}|[0-9]+W)"
_PCT = r"%[0-9A-Fa-f]{2}"


def _uri(more: str, private: str, relative: bool) -> str:
    """RFC 3986; with ``more`` characters allowed wherever unreserved ones are, RFC 3987."""
    unreserved = rf"A-Za-z0-9._~{more}\-"
    pchar = rf"(?:[{unreserved}!$&'()*+,;=:@]|{_PCT})"
    segment_nc = rf"(?:[{unreserved}!$&'()*+,;=@]|{_PCT})+"
    literal = rf"\[(?:{_IPV6}|[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\]"
    host = rf"(?:{literal}|(?:[{unreserved}!$&'()*+,;=]|{_PCT})*)"
    authority = rf"(?:(?:[{unreserved}!$&'()*+,;=:]|{_PCT})*@)?{host}(?::[0-9]*)?"
    abempty = rf"(?:/{pchar}*)*"
    absolute = rf"/(?:{pchar}+{abempty})?"
    tail = rf"(?:\?(?:{pchar}|[/?{private}])*)?(?:#(?:{pchar}|[/?])*)?"
    full = rf"[A-Za-z][A-Za-z0-9+.-]*:(?://{authority}{abempty}|{absolute}|{pchar}+{abempty}|){tail}"
    if not relative:
        return full
    return rf"{full}|(?://{authority}{abempty}|{absolute}|{segment_nc}{abempty}|){tail}"


_UCS = r"\u{A0}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFEF}" + "".join(
    rf"\u{{{plane:X}0000}}-\u{{{plane:X}FFFD}}" for plane in range(1, 15)
)
_PRIVATE = r"\u{E000}-\u{F8FF}\u{F0000}-\u{FFFFD}\u{100000}-\u{10FFFD}"
_POINTER = r"(?:/(?:[^~/]|~[01])*)*"
_VARNAME = rf"(?:[A-Za-z0-9_]|{_PCT})(?:\.?(?:[A-Za-z0-9_]|{_PCT}))*"
_VARSPEC = rf"{_VARNAME}(?::[1-9][0-9]{{0,3}}|\*)?"
_TEMPLATE_LITERAL = rf"(?:[!#$&-;=?-\[\]_a-z~{_UCS}{_PRIVATE}]|{_PCT})"
_TEMPLATE = rf"(?:{_TEMPLATE_LITERAL}|\{{[+#./;?&=,!@|]?{_VARSPEC}(?:,{_VARSPEC})*\}})*"

_PATTERNS: dict[str, str] = {
    "date": _DATE,
    "time": _TIME,
    "date-time": rf"{_DATE}[tT]{_TIME}",
    "duration": _DURATION,
    "email": _EMAIL,
    "idn-email": idn_formats.idn_email(_IPV4, _IPV6),
    "hostname": _HOSTNAME,
    "ipv4": _IPV4,
    "ipv6": _IPV6,
    "uri": _uri("", "", relative=False),
    "uri-reference": _uri("", "", relative=True),
    "iri": _uri(_UCS, _PRIVATE, relative=False),
    "iri-reference": _uri(_UCS, _PRIVATE, relative=True),
    "uri-template": _TEMPLATE,
    "uuid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "json-pointer": _POINTER,
    "relative-json-pointer": rf"(?:0|[1-9][0-9]*)(?:#|{_POINTER})",
}

_MAX_LENGTHS = {"hostname": 253}

UNCHECKED = {
    "hostname": "what an A-label (xn--…) stands for, which is arithmetic on all of its characters at once",
    "idn-hostname": "that labels are in Unicode's form NFC, and how long their A-labels and the name are",
    "regex": "names of groups, and the order of bounds that are not written plainly",
}
"""What of a format is not checked."""

ENCODINGS = {
    "base64": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "base32": r"(?:[A-Z2-7]{8})*(?:[A-Z2-7]{2}={6}|[A-Z2-7]{4}={4}|[A-Z2-7]{5}={3}|[A-Z2-7]{7}=)?",
    "base16": r"(?:[0-9A-F]{2})*",
}
"""Values of ``contentEncoding``, as RFC 4648 writes them."""


KNOWN = frozenset((*_PATTERNS, "idn-hostname", "regex"))
"""The names of formats; any other says nothing."""
MOST_DESCRIBED = 256  # formats, under all the limits that were asked for


def is_known(name: str) -> bool:
    """The name is one of a format."""
    return name in KNOWN


@lru_cache(maxsize=64)
def language(name: str, limits: Limits) -> languages.Language | None:
    """The texts of a format; None when it is unknown."""
    if not is_known(name):
        return None
    what = f"format {name} {limits}"
    found = kept(CharDFA, what, lambda: _make(name, limits))
    if len(languages.described) > MOST_DESCRIBED:
        languages.described.clear()
    languages.described[found] = what
    return found


def _make(name: str, limits: Limits) -> languages.Language:
    if name == "idn-hostname":
        return idn_formats.idn_hostname(limits)
    if name == "regex":
        return regex_format.language(limits)
    return languages.of_format(_PATTERNS[name], _MAX_LENGTHS.get(name), limits)
