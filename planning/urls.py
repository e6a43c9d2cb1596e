"""Addresses of planning's pages, from the root on."""

from django.urls import path

from planning.views import coverage, remedies

app_name = "planning"
urlpatterns = [
    path("alert-coverage/", coverage.alert_coverage, name="alert-coverage"),
    path("remedies/", remedies.remedy_list, name="remedies"),
    path("remedies/new/", remedies.remedy_new, name="remedy-new"),
    path("remedies/<str:slug>/", remedies.remedy, name="remedy"),
    path("remedies/<str:slug>/edit/", remedies.remedy_edit, name="remedy-edit"),
    path("remedies/<str:slug>/delete/", remedies.remedy_delete, name="remedy-delete"),
]
