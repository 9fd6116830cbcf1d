"""Requests whose token the store checks together with its first statement, instead of in a statement of its own.

A token is verified by the record in memory at first. Nothing is read, written or answered until the store has confirmed
that the stored record is the same. If it is not, the token is verified again by the record in the store, and the
request begins anew. A token that was revoked is therefore refused by the next request in every process.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, Final

from scimkit.errors import InternalError, ScimError, Unavailable
from scimkit.runner import result_of
from scimkit.service.http import Request
from scimkit.tokens import Principal, TokenChanged

_log: Final = logging.getLogger("scimkit")

_READS: Final = frozenset({"GET", "HEAD"})


class TokenChecks:
    """The checks of tokens that the store makes.

    Args:
        tokens: The registry of the tokens.
        endpoints: The first segments of the paths of resources.
        in_writes: True if a store makes the checks of writes too.
    """

    def __init__(self, tokens: Any, endpoints: Collection[str], *, in_writes: bool) -> None:
        self._tokens = tokens
        self._endpoints = endpoints
        self._in_writes = in_writes

    @classmethod
    def of(
        cls, store: object, tokens: object, endpoints: Collection[str], *, in_reads: bool, in_writes: bool
    ) -> TokenChecks | None:
        """Return the checks, or None if the store cannot make them.

        Args:
            store: The store of the service.
            tokens: The verifier of the service.
            endpoints: The first segments of the paths of resources.
            in_reads: False if something else than the store acts before the first statement of a read.
            in_writes: False if something else than the store acts before the first statement of a write.
        """
        confirms = getattr(store, "confirms_tokens_of", None)
        token_store = getattr(tokens, "token_store", None)
        if not in_reads or confirms is None or token_store is None or not confirms(token_store):
            return None
        return cls(tokens, endpoints, in_writes=in_writes)

    def principal_of(self, request: Request, token: str) -> Principal | None:
        """Return the principal of a token by the record in memory, and keep its check in the request.

        The result is None if the token must be verified by the record in the store.
        """
        if request.method not in _READS and not self._in_writes:
            return None
        if request.path.strip("/").partition("/")[0] not in self._endpoints:
            return None
        recalled = self._tokens.recall(token)
        if recalled is None:
            return None
        principal: Principal = recalled[0]
        request.token_check = recalled[1]
        return principal

    async def confirm(self, request: Request) -> None:
        """Make the check of a request, unless the store has made it.

        Raises:
            TokenChanged: The stored record is not the one by which the token was verified.
            Unavailable: The store of the tokens failed.
        """
        check = request.token_check
        if check is not None and check.is_pending:
            await result_of(self._tokens.confirm(check))

    async def confirmed_error(self, request: Request, error: ScimError) -> ScimError:
        """Make the check of a request that failed, unless the store has made it, and return the error to answer with.

        Raises:
            TokenChanged: The stored record is not the one by which the token was verified.
        """
        if isinstance(error, Unavailable):
            return error  # the database cannot be asked, and this answer shows nothing
        try:
            await self.confirm(request)
        except TokenChanged:
            raise
        except ScimError as other:
            return other
        except Exception:
            _log.exception("the verification of a token failed")
            return InternalError()
        return error
