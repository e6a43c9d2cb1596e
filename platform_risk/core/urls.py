"""Addresses of the core's pages."""

from django.urls import path

from platform_risk.core.views import account, catalog, facts, ownership, sign_in, users

app_name = "core"
urlpatterns = [
    path("sign-in/", sign_in.sign_in_page, name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("services/", catalog.services_page, name="services"),
    path("services/<str:slug>/edit/", catalog.service_edit, name="service-edit"),
    path("services/<str:slug>/facts/", facts.service_facts, name="service-facts"),
    path("services/<str:slug>/delete/", catalog.service_delete, name="service-delete"),
    path("teams/", catalog.teams_page, name="teams"),
    path("teams/<str:slug>/edit/", catalog.team_edit, name="team-edit"),
    path("teams/<str:slug>/delete/", catalog.team_delete, name="team-delete"),
    path("environments/", catalog.environments_page, name="environments"),
    path("environments/<str:slug>/edit/", catalog.environment_edit, name="environment-edit"),
    path("environments/<str:slug>/delete/", catalog.environment_delete, name="environment-delete"),
    path("ownership/", ownership.ownership_page, name="ownership"),
    path("ownership/codeowners/", ownership.codeowners_read, name="codeowners-read"),
    path("ownership/codeowners/import/", ownership.codeowners_import, name="codeowners-import"),
    path("ownership/<int:pk>/edit/", ownership.rule_edit, name="rule-edit"),
    path("ownership/<int:pk>/move/", ownership.rule_move, name="rule-move"),
    path("ownership/<int:pk>/delete/", ownership.rule_delete, name="rule-delete"),
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="password"),
    path("account/tokens/", account.token_create, name="token-create"),
    path("account/tokens/<int:pk>/revoke/", account.token_revoke, name="token-revoke"),
    path("users/", users.users_page, name="users"),
    path("users/<int:pk>/", users.user_edit, name="user-edit"),
    path("audit/", users.audit, name="audit"),
]
