"""`first_of`: several verifiers of tokens as one. Each token goes to the first verifier that knows its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import isawaitable
from typing import Any, Generic, Literal, TypeVar

from scimkit.schema.discovery import BEARER_TOKEN
from scimkit.tokens import PREFIX, AsyncTokenRegistry, Principal, SyncTokenVerifier, TokenRegistry, TokenVerifier

Verifier = TypeVar("Verifier", bound=SyncTokenVerifier | TokenVerifier)


class _FirstOf(Generic[Verifier]):
    """The common base of both kinds. It looks at the text of a token only."""

    def __init__(self, verifiers: tuple[Verifier, ...]) -> None:
        self._verifiers = verifiers

    @property
    def authentication_schemes(self) -> Sequence[Mapping[str, Any]]:
        """The schemes of all verifiers, each once. The first one is the primary scheme."""
        found: list[Mapping[str, Any]] = []
        for verifier in self._verifiers:
            for scheme in getattr(verifier, "authentication_schemes", (BEARER_TOKEN,)):
                if all(scheme["name"] != each["name"] for each in found):
                    found.append({**scheme, "primary": not found})
        return found

    def is_known(self, token: str) -> bool:
        """Report whether one of the verifiers has verified the token before."""
        return any(getattr(each, "is_known", _no)(token) for each in self._verifiers)

    def is_well_formed(self, token: str) -> bool:
        """Report whether a text has the form of a token of one of the verifiers."""
        return any(getattr(each, "is_well_formed", _yes)(token) for each in self._verifiers)

    def _verifier_of(self, token: str) -> Verifier:
        """Return the verifier of a token. A text in no known form goes to the last one, which refuses the text."""
        return next((each for each in self._verifiers[:-1] if _is_form_of(each, token)), self._verifiers[-1])


class _SyncFirstOf(_FirstOf[SyncTokenVerifier]):
    """Several sync verifiers as one."""

    is_async: Literal[False] = False

    @property
    def blocking(self) -> bool:
        """True if one of the verifiers may wait."""
        return any(bool(getattr(each, "blocking", True)) for each in self._verifiers)

    def verify(self, token: str) -> Principal:
        return self._verifier_of(token).verify(token)


class _AsyncFirstOf(_FirstOf[SyncTokenVerifier | TokenVerifier]):
    """Several verifiers as one async verifier. Its sync verifiers never wait."""

    is_async: Literal[True] = True

    async def verify(self, token: str) -> Principal:
        answer = self._verifier_of(token).verify(token)
        return await answer if isawaitable(answer) else answer


def first_of(*verifiers: SyncTokenVerifier | TokenVerifier) -> SyncTokenVerifier | TokenVerifier:
    """Return a verifier that gives each token to the first of several verifiers that knows the form of the token.

        ScimService(store, tokens=first_of(registry, entra, okta))

    A token of a `TokenRegistry` begins with `PREFIX`. A JSON Web Token names its issuer. Any other text goes to the
    last verifier.

    Args:
        verifiers: The verifiers. The result is async if one of them is async.

    Raises:
        ValueError: There is no verifier, or a sync verifier that may wait is combined with an async one.
    """
    if not verifiers:
        raise ValueError("first_of needs a verifier")
    waiting = [each for each in verifiers if each.is_async is False]
    if len(waiting) == len(verifiers):
        return _SyncFirstOf(tuple(waiting))
    if any(bool(getattr(each, "blocking", True)) for each in waiting):
        raise ValueError("first_of cannot combine an async verifier with one that blocks; use the async form of both")
    return _AsyncFirstOf(verifiers)


def _is_form_of(verifier: object, token: str) -> bool:
    """Report whether a token has the form of the tokens of a verifier. A mistyped token of a registry has its form."""
    if isinstance(verifier, TokenRegistry | AsyncTokenRegistry):
        return token.startswith(PREFIX)
    answer: bool = getattr(verifier, "is_well_formed", _yes)(token)
    return answer


def _yes(_: str) -> bool:
    return True


def _no(_: str) -> bool:
    return False
