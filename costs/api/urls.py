"""Addresses of the costs' endpoints, for platform_risk.api_urls."""

from rest_framework.routers import SimpleRouter

from costs.api import daily, views


def register(router: SimpleRouter) -> None:
    router.register("costs/daily", daily.Daily, "cost-daily")
    router.register("costs/projections", views.Projections, "cost-projection")
