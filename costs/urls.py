"""Addresses of the pages of costs, below /costs/."""

from django.urls import path

from costs import views
from costs.pages import budgets, explorer, forecast, overview, prices, reconciliation, showback

app_name = "costs"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("changed-resources/", overview.changed_resources, name="changed-resources"),
    path("tile/", overview.tile, name="tile"),
    path("projection/", overview.projection, name="projection"),
    path("explorer/", explorer.explorer, name="explorer"),
    path("reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("showback/", showback.showback, name="showback"),
    path("showback/shared/<int:pk>/delete/", showback.shared_delete, name="shared-delete"),
    path("projections/", views.projections, name="projections"),
    path("scenarios/", views.scenario_save, name="scenario-save"),
    path("scenarios/<int:pk>/delete/", views.scenario_delete, name="scenario-delete"),
    path("forecast/", forecast.forecast, name="forecast"),
    path("forecast/seen/", forecast.seen, name="anomaly-seen"),
    path("prices/", prices.prices, name="prices"),
    path("prices/<int:pk>/", prices.price, name="price"),
    path("prices/<int:pk>/delete/", prices.price_delete, name="price-delete"),
    path("prices/book/", prices.book_put, name="price-book-put"),
    path("prices/book/<slug:slug>.yaml", prices.book_file, name="price-book"),
    path("budgets/", budgets.budgets, name="budgets"),
    path("budgets/<int:pk>/", budgets.budget, name="budget"),
    path("budgets/<int:pk>/delete/", budgets.budget_delete, name="budget-delete"),
]
