"""Who works with the platform. Pure data: process tables name these roles, so this file imports no Django.

The list is that of the sources (SH2 用户权限; XC 5.9; TJ 9.2.1) with the three administrators kept apart (三员分立).
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A post that a person holds at a place. The value is stored; the label is what people read."""

    BUREAU = "bureau"
    STREET = "street"
    COMMUNITY = "community"
    AGENT = "agent"
    LEAD = "lead"
    QUALITY = "quality"
    DISPATCHER = "dispatcher"
    INSTALLER = "installer"
    PROVIDER = "provider"
    WORKER = "worker"
    DOCTOR = "doctor"
    GRID_WORKER = "grid_worker"
    FAMILY = "family"
    ELDER = "elder"
    VOLUNTEER = "volunteer"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"

    @property
    def label(self) -> str:
        """The Chinese name of the post."""
        return LABELS[self]


LABELS: dict[Role, str] = {
    Role.BUREAU: "民政局",
    Role.STREET: "街道",
    Role.COMMUNITY: "社区",
    Role.AGENT: "坐席",
    Role.LEAD: "值班长",
    Role.QUALITY: "质检",
    Role.DISPATCHER: "派单员",
    Role.INSTALLER: "装维员",
    Role.PROVIDER: "服务商",
    Role.WORKER: "服务人员",
    Role.DOCTOR: "医生/评估员",
    Role.GRID_WORKER: "社工/网格员",
    Role.FAMILY: "家属",
    Role.ELDER: "老人",
    Role.VOLUNTEER: "志愿者",
    Role.SYSTEM_ADMIN: "系统管理员",
    Role.SECURITY_ADMIN: "安全管理员",
    Role.AUDIT_ADMIN: "审计管理员",
}

CENTRE: frozenset[Role] = frozenset({Role.AGENT, Role.LEAD, Role.QUALITY, Role.DISPATCHER})
"""Roles that work in the home-care centre itself."""
