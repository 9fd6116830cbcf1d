import os
import secrets
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from scimkit.admin import Administrator, AdminSite

from .scim import service, tokens

PASSWORD = os.environ["HELPDESK_PASSWORD"]
SECRET = os.environ["HELPDESK_SECRET"]

router = APIRouter()


@router.get("/login")
def login(request: Request, given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> RedirectResponse:
    """Sign an administrator in. The browser asks for the name and the password."""
    if not secrets.compare_digest(given.password.encode(), PASSWORD.encode()):
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})
    request.session.update(administrator=given.username, id=str(uuid4()))
    return RedirectResponse("/scim-admin/")


def authorize(scope: Any) -> Administrator | None:
    """Return the administrator who is signed in, or None."""
    session = Request(scope).session
    if "administrator" not in session:
        return None
    return Administrator(session["administrator"], session=session["id"])


site = AdminSite(
    service,
    tokens,
    endpoint="/scim/v2",
    authorize=authorize,
    name="Helpdesk",
    key=SECRET.encode(),
)
