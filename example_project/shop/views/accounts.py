"""Accounts."""

from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from example_project.shop.forms import LoginForm, RegisterForm


class Login(LoginView):
    template_name = "shop/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    form = RegisterForm(request.POST or None)
    if form.is_valid():
        login(request, form.save())
        return redirect("my_orders")
    return render(request, "shop/register.html", {"form": form}, status=400 if form.is_bound else 200)
