"""Addresses that anybody may open."""

from __future__ import annotations

from django.urls import path

from anju.portals.public import messages, wechat

urlpatterns = [
    path("message/", messages.write, name="message"),
    path("message/<str:thread>", messages.thread, name="message_thread"),
    path("wechat/", wechat.door, name="wechat"),
]
