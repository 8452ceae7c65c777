"""Rows of people: one file a noun."""

from accounts.models.audit import AuditChain, AuditEntry
from accounts.models.forwards import Forward, ForwardKind
from accounts.models.links import LinkKind, OneTimeLink
from accounts.models.quotas import Quota
from accounts.models.saved_views import SavedView
from accounts.models.second_factor import RoleWithSecondFactor
from accounts.models.teams import Grant, Membership, OwnRole, Team
from accounts.models.tokens import ApiToken
from accounts.models.users import User

__all__ = [
    "ApiToken",
    "AuditChain",
    "AuditEntry",
    "Forward",
    "ForwardKind",
    "Grant",
    "LinkKind",
    "Membership",
    "OneTimeLink",
    "OwnRole",
    "Quota",
    "RoleWithSecondFactor",
    "SavedView",
    "Team",
    "User",
]
