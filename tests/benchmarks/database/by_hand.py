"""What a team writes by hand in an afternoon: FastAPI, the awaited ORM of SQLAlchemy, and pydantic models.

It has no rule of SCIM but the shapes. Run `uvicorn tests.benchmarks.database.by_hand:app` with the URL in
`BENCHMARK_URL`.
"""

import hashlib
import os
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import JSON, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ.get("BENCHMARK_URL", "postgresql+psycopg://"), pool_size=10)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The base of the models."""


class TokenRow(Base):
    """A token."""

    __tablename__ = "hand_token"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tenant: Mapped[str]
    hash: Mapped[str]


class UserRow(Base):
    """A user."""

    __tablename__ = "hand_user"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    tenant: Mapped[str]
    user_name: Mapped[str] = mapped_column(unique=True)
    external_id: Mapped[str | None]
    display_name: Mapped[str | None]
    active: Mapped[bool]
    name: Mapped[dict[str, Any]] = mapped_column(JSON)
    emails: Mapped[list[Any]] = mapped_column(JSON)


class Email(BaseModel):
    """An element of `emails`."""

    value: str
    type: str | None = None
    primary: bool | None = None


class User(BaseModel):
    """A user in requests and responses."""

    schemas: list[str] = ["urn:ietf:params:scim:schemas:core:2.0:User"]
    id: str | None = None
    userName: str
    externalId: str | None = None
    displayName: str | None = None
    active: bool = True
    name: dict[str, Any] = {}
    emails: list[Email] = []


def shown(row: UserRow) -> User:
    """Return the user of a row."""
    return User(
        id=row.id, userName=row.user_name, externalId=row.external_id, displayName=row.display_name,
        active=row.active, name=row.name, emails=[Email(**each) for each in row.emails],
    )  # fmt: skip


class Operation(BaseModel):
    """One operation of a PATCH request."""

    op: str
    path: str
    value: Any = None


class Patch(BaseModel):
    """The body of a PATCH request."""

    Operations: list[Operation]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Create the tables."""
    async with engine.begin() as db:
        await db.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session() -> AsyncIterator[AsyncSession]:
    """Yield a session for one request."""
    async with Session() as found:
        yield found


Db = Annotated[AsyncSession, Depends(session)]


async def tenant(db: Db, authorization: Annotated[str, Header()]) -> str:
    """Return the tenant of the token of a request."""
    name, _, secret = authorization.removeprefix("Bearer ").partition(".")
    row = await db.get(TokenRow, name)
    if row is None or row.hash != hashlib.sha256(secret.encode()).hexdigest():
        raise HTTPException(401)
    return row.tenant


Tenant = Annotated[str, Depends(tenant)]


async def found(db: AsyncSession, query: Any) -> UserRow:
    """Return the only user of a query."""
    row: UserRow | None = await db.scalar(query)
    if row is None:
        raise HTTPException(404)
    return row


@app.get("/Users/{id}")
async def read(id: str, who: Tenant, db: Db) -> User:
    """Return a user."""
    return shown(await found(db, select(UserRow).where(UserRow.tenant == who, UserRow.id == id)))


@app.get("/Users")
async def search(filter: str, who: Tenant, db: Db) -> dict[str, Any]:
    """Return the users with a name."""
    match = re.fullmatch(r'userName eq "([^"]*)"', filter)
    wanted = "" if match is None else match[1].lower()
    rows = (await db.scalars(select(UserRow).where(UserRow.tenant == who, UserRow.user_name == wanted))).all()
    return {"totalResults": len(rows), "Resources": [shown(row) for row in rows]}


@app.post("/Users", status_code=201)
async def create(user: User, who: Tenant, db: Db) -> User:
    """Create a user."""
    row = UserRow(
        id=str(uuid.uuid4()), tenant=who, user_name=user.userName.lower(), external_id=user.externalId,
        display_name=user.displayName, active=user.active, name=user.name,
        emails=[each.model_dump() for each in user.emails],
    )  # fmt: skip
    db.add(row)
    await db.commit()
    return shown(row)


@app.patch("/Users/{id}")
async def patch(id: str, body: Patch, who: Tenant, db: Db) -> User:
    """Change a user."""
    row = await found(db, select(UserRow).where(UserRow.tenant == who, UserRow.id == id).with_for_update())
    for each in body.Operations:
        name, _, part = each.path.partition(".")
        setattr(row, name, {**getattr(row, name), part: each.value} if part else each.value)
    await db.commit()
    return shown(row)
