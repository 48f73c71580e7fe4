"""Who may sign in, who is signed in, and wrong passwords."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from gateway.database import note, transaction
from gateway.models import FailedSignIn, SignIn, User, now


@dataclass(frozen=True, slots=True)
class People:
    """The rows of users and of their browsers and tokens."""

    engine: sa.Engine

    def users(self) -> list[User]:
        """Everybody, by name."""
        with transaction(self.engine) as session:
            return list(session.exec(select(User).order_by(col(User.name))))

    def user(self, name: str) -> User | None:
        """One person, or None."""
        with transaction(self.engine) as session:
            return session.get(User, name)

    def save(self, user: User, who: str) -> None:
        """Add or change a person."""
        with transaction(self.engine) as session:
            session.merge(user)
            note(session, who, "user", None, name=user.name, role=user.role, disabled=user.disabled)
            if user.disabled:
                session.execute(sa.delete(SignIn).where(col(SignIn.user) == user.name))

    def sign_in(self, secret: str, user: str, label: str = "") -> None:
        """Remember a browser or an API token by the hash of its secret."""
        with transaction(self.engine) as session:
            session.add(SignIn(secret_hash=_hash(secret), user=user, label=label, created_at=now(), seen_at=now()))
            note(session, user, "token" if label else "sign-in")

    def signed_in(self, secret: str, idle: timedelta, touch: bool = True) -> User | None:
        """Who holds this secret; None when nobody does, or not any more. API tokens do not grow idle.

        ``touch`` False: a page asked by itself, which does not show that somebody is there.
        """
        with transaction(self.engine) as session:
            entry = session.get(SignIn, _hash(secret))
            if entry is None or (not entry.label and entry.seen_at < now() - idle):
                return None
            if touch and entry.seen_at < now() - timedelta(minutes=1):
                entry.seen_at = now()
                session.add(entry)
            user = session.get(User, entry.user)
            return user if user and not user.disabled else None

    def sign_out(self, secret: str) -> None:
        """Forget a browser."""
        with transaction(self.engine) as session:
            session.execute(sa.delete(SignIn).where(col(SignIn.secret_hash) == _hash(secret)))

    def sign_out_others(self, user: str, secret: str) -> None:
        """Forget every other browser of this person: the password has changed."""
        with transaction(self.engine) as session:
            session.execute(
                sa.delete(SignIn).where(
                    col(SignIn.user) == user, col(SignIn.label) == "", col(SignIn.secret_hash) != _hash(secret)
                )
            )

    def wrong_password(self, name: str) -> None:
        """Note a wrong password."""
        with transaction(self.engine) as session:
            session.add(FailedSignIn(name=name[:64], at=now()))

    def wrong_passwords(self, name: str, within: timedelta) -> int:
        """How many wrong passwords this name was given lately."""
        with transaction(self.engine) as session:
            session.execute(sa.delete(FailedSignIn).where(col(FailedSignIn.at) < now() - timedelta(days=1)))
            return session.exec(
                select(sa.func.count())
                .select_from(FailedSignIn)
                .where(FailedSignIn.name == name[:64], FailedSignIn.at > now() - within)
            ).one()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
