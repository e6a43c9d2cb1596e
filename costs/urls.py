"""Addresses of the pages of costs, below /costs/."""

from django.urls import path

from costs import views
from costs.pages import budgets, forecast, prices

app_name = "costs"
urlpatterns = [
    path("", views.projections, name="projections"),
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
