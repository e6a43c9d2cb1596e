"""Addresses of the costs' endpoints, for platform_risk.api_urls."""

from rest_framework.routers import SimpleRouter

from costs.api import budgets, daily, forecasts, prices, shares, views


def register(router: SimpleRouter) -> None:
    router.register("costs/daily", daily.Daily, "cost-daily")
    router.register("costs/projections", views.Projections, "cost-projection")
    router.register("costs/showback", shares.Showback, "cost-showback")
    router.register("costs", forecasts.Outlooks, "cost-outlook")
    router.register("prices", prices.Prices, "price")
    router.register("budgets", budgets.Budgets, "budget")
    router.register("scenarios", budgets.Scenarios, "scenario")
    router.register("shared-costs", shares.SharedCosts, "shared-cost")
