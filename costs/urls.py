"""Addresses of the pages of costs, below /costs/."""

from django.urls import path

from costs import views

app_name = "costs"
urlpatterns = [path("", views.projections, name="projections")]
