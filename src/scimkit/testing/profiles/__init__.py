"""Profiles of SCIM: the clauses of each profile, and the check of an endpoint against them."""

from scimkit.testing.profiles.clauses import Clause, ClauseResult, Outcome
from scimkit.testing.profiles.readiness import PROFILES, Profile, ReadinessReport, check_profile

__all__ = ["PROFILES", "Clause", "ClauseResult", "Outcome", "Profile", "ReadinessReport", "check_profile"]
