"""The tables of texts that a recording keeps: words of error details, HTTP methods, and protocol values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_SENTENCES: Final = """
    a accepts active add after again already an and another application apply are array as ascending asks at
    attribute attributes authorization base be bearer been body brackets bulk by bytes can cannot carries changed
    character characters closed closes compared complete complex conflict could count creates cursor data date
    deeper define defines delete descending disabled discovery document documents does double duplicate either
    encoded end endpoint error escape exist exists expected expects expired extension extensions fail failed false
    filter filtered fit for form forbidden found give given gives group groups half has have header id identifier
    immutable implement in inactive inside into invalid is it its json larger later least levels longer malformed
    many matched matches may member members message method missing more most must name names negative nested new
    no nobody not nothing null number object of offer on one only op open opens operate operation operations
    operator or other outside page pages parameter patch path permitted post primary process protocol put query
    quotes read-only realm reference refers remove removed replace request requests required resource resources
    response responses results returns same schema schemas scim search section select send sensitive server
    service several sort sorted stand start string strings sub-attribute sub-attributes successful such support
    supported taken takes temporarily than that the their there this time to token too true try twice two type
    types unavailable unique unknown unsupported supports use used user username users valid value values version
    was where which whole with without words wrong yields eq ne co sw ew pr gt ge lt le uri url urn urns rfc utf
    utf-8 z application/scim+json application/json
"""

WORDS: Final = frozenset(_SENTENCES.split())
"""The words of error details that are kept, in lower case. None of them is a personal name."""

MESSAGE: Final = re.compile(r"urn:ietf:params:scim:api:messages:2\.0:[A-Z][A-Za-z]{1,15}")

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
"""The HTTP methods that are recorded by name."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")
STAMPS: Final[Mapping[str, re.Pattern[str]]] = {
    "meta.created": _INSTANT,
    "meta.lastModified": _INSTANT,
    "meta.version": re.compile(r'(?:W/)?\\?"[0-9a-fA-F-]{1,40}\\?"'),
    "meta.resourceType": re.compile(r"User|Group"),
}
PROTOCOL: Final[Mapping[str, re.Pattern[str]]] = {
    "totalresults": re.compile(r"\d+"),
    "itemsperpage": re.compile(r"\d+"),
    "startindex": re.compile(r"\d+"),
    "count": re.compile(r"\d+"),
    "failonerrors": re.compile(r"\d+"),
    "status": re.compile(r"\d{3}"),
    "scimtype": re.compile(r"[A-Za-z]{1,20}"),
    "sortorder": re.compile(r"ascending|descending"),
}
