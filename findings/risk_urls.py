"""Addresses of the pages of risk, below /risk/."""

from django.urls import path

from findings.views import risk

app_name = "risk"
urlpatterns = [
    path("", risk.matrix, name="matrix"),
    path("exceedance/", risk.exceedance, name="exceedance"),
    path("inputs/", risk.inputs, name="inputs"),
    path("inputs/<int:pk>/", risk.change_input, name="input-change"),
    path("inputs/<int:pk>/withdraw/", risk.withdraw_input, name="input-withdraw"),
    path("findings/<int:number>/<str:name>/", risk.state_of_finding, name="state"),
    path("lanes/", risk.lanes, name="lanes"),
]
