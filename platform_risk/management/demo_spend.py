"""What the demo has of costs beside its bill: budgets, and a cost that all teams share."""

from decimal import Decimal

from costs import budgeting, sharing
from costs.models import Budget, SharedCost
from platform_risk.core.models import Team, User

NOTE = "Part of the demo"
REASON = "The demo was removed"
# Team → what it may spend in a month, in US dollars; "" is everything.
BUDGETS = {"ingest": 22_000, "routing": 3_000, "cloud": 5_000, "": 32_000}


def share_tax(admin: User) -> None:
    """Before the bill comes, so that its tax is shared from the first."""
    if not SharedCost.objects.filter(pattern="Tax").exists():
        sharing.create(user=admin, kind="cloud_service", pattern="Tax", split="proportional", note=NOTE)


def add_budgets(admin: User) -> None:
    for slug, amount in BUDGETS.items():
        team = Team.objects.get(slug=slug) if slug else None
        if not Budget.objects.filter(team=team, service=None, environment=None, account="").exists():
            budgeting.create_budget(user=admin, team=team, amount=Decimal(amount), note=NOTE)


def remove(admin: User) -> None:
    """In the caller's transaction."""
    for rule in SharedCost.objects.filter(note=NOTE):
        sharing.delete(rule, user=admin, reason=REASON)
    for budget in Budget.objects.filter(note=NOTE):
        budgeting.delete_budget(budget, user=admin, reason=REASON)
