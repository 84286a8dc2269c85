"""The files that are the same for every centre: folders, modules, ARI, HTTP, RTP, music, log."""

from __future__ import annotations

from anju.calls.lines.config.plan import Machine, Plan

VARIABLES = ("ANJU_LINE", "ANJU_DEVICE", "ANJU_NUMBER", "ANJU_EMERGENCY", "ANJU_CALLED", "ANJU_CALL", "ANJU_RECORDED")
"""Channel variables that come with every event."""

MODULES = [
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_timing_timerfd",
    "res_crypto",
    "res_http_websocket",
    "res_websocket_client",
    "res_speech",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_sdp_rtp",
    "res_pjsip_authenticator_digest",
    "res_pjsip_outbound_authenticator_digest",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_registrar",
    "res_pjsip_outbound_registration",
    "res_pjsip_caller_id",
    "res_pjsip_header_funcs",
    "res_pjsip_rfc3326",
    "res_pjsip_dtmf_info",
    "res_pjsip_nat",
    "res_pjsip_acl",
    "res_pjsip_logger",
    "res_pjsip_dlg_options",
    "res_pjsip_pubsub",
    "res_pjsip_transport_websocket",
    "chan_pjsip",
    "res_rtp_asterisk",
    "res_srtp",
    "res_format_attr_opus",
    "func_pjsip_endpoint",
    "func_pjsip_contact",
    "func_pjsip_aor",
    "codec_ulaw",
    "codec_alaw",
    "codec_a_mu",
    "codec_gsm",
    "codec_g722",
    "codec_resample",
    "codec_opus_open_source",
    "format_pcm",
    "format_wav",
    "format_wav_gsm",
    "format_gsm",
    "format_sln",
    "format_ogg_opus_open_source",
    "bridge_simple",
    "bridge_softmix",
    "bridge_holding",
    "bridge_native_rtp",
    "bridge_builtin_features",
    "chan_bridge_media",
    "res_musiconhold",
    "app_stasis",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
    "res_stasis_recording",
    "res_stasis_snoop",
    "res_stasis_device_state",
    "res_ari",
    "res_ari_model",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_device_states",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_recordings",
    "res_ari_sounds",
    "pbx_config",
    "app_dial",
    "app_playback",
    "app_mixmonitor",
    "app_chanspy",
    "app_queue",
    "app_echo",
    "app_verbose",
    "app_stack",
    "app_senddtmf",
    "func_cut",
    "func_groupcount",
    "func_uri",
    "func_channel",
    "func_callerid",
    "func_hangupcause",
    "func_periodic_hook",
    "func_logic",
    "func_strings",
    "func_timeout",
    "func_volume",
    "func_talkdetect",
    "func_jitterbuffer",
    "func_math",
    "func_global",
    "func_strings",
]
"""Loaded in this order; those that a machine does not have (a codec, say) are left out with a line in the log."""

EMPTY = (
    "stasis", "features", "udptl", "ccss", "acl", "pjproject", "sorcery", "websocket_client", "cli", "codecs", "dsp",
    "dnsmgr", "extconfig", "cli_permissions", "cli_aliases", "queuerules", "res_stun_monitor", "pjsip_notify",
)  # fmt: skip
"""Files that must be there, and need say nothing."""


def files(plan: Plan) -> dict[str, str]:
    """Name → content."""
    machine = plan.machine
    return {
        "asterisk.conf": _asterisk(machine),
        "modules.conf": _modules(machine),
        "http.conf": _http(machine),
        "ari.conf": _ari(machine),
        "rtp.conf": f"[general]\nrtpstart = {machine.rtp_first}\nrtpend = {machine.rtp_last}\nicesupport = yes\nstrictrtp = yes\n",
        "musiconhold.conf": _music(machine),
        "indications.conf": _TONES,
        "logger.conf": "[general]\ndateformat = %F %T.%3q\n[logfiles]\nconsole => notice,warning,error\n",
        "cdr.conf": "[general]\nenable = no\n",
        "cel.conf": "[general]\nenable = no\n",
        "manager.conf": "[general]\nenabled = no\n",
        **{f"{name}.conf": "" for name in EMPTY},
    }


def _asterisk(machine: Machine) -> str:
    home = machine.home
    return (
        "[directories]\n"
        f"astetcdir => {machine.etc}\nastmoddir => {machine.modules}\nastvarlibdir => {home}/lib\nastdbdir => {home}/lib\n"
        f"astkeydir => {home}/lib\nastdatadir => {home}/data\nastagidir => {home}/lib/agi\nastspooldir => {machine.spool}\n"
        f"astrundir => {machine.control}\nastlogdir => {home}/log\nastsbindir => /usr/sbin\n"
        "\n[options]\nverbose = 1\ndebug = 0\nnofork = yes\nhideconnect = yes\nlive_dangerously = no\n"
        "documentation_language = en_US\ndefaultlanguage = zh\nmaxload = 0\ninternal_timing = yes\n"
        "\n[files]\nastctlpermissions = 0600\n"
    )


def _modules(machine: Machine) -> str:
    there = [name for name in dict.fromkeys(MODULES) if (machine.modules / f"{name}.so").exists()]
    return "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in there)


def _http(machine: Machine) -> str:
    """ARI is for this machine only, also on the TLS port that browsers use for their WebSocket."""
    tls = ""
    if machine.wss_port and machine.certificate and machine.key:
        host = f"[{machine.sip_host}]" if ":" in machine.sip_host else machine.sip_host
        tls = (
            f"tlsenable = yes\ntlsbindaddr = {host}:{machine.wss_port}\ntlscertfile = {machine.certificate}\n"
            f"tlsprivatekey = {machine.key}\ntlsdisablev1 = yes\ntlsdisablev11 = yes\n"
        )
    return (
        f"[general]\nservername = Anju\nenabled = yes\nenable_static = no\nenable_status = no\nbindaddr = 127.0.0.1\n"
        f"bindport = {machine.ari_port}\nsessionlimit = 1000\nsession_inactivity = 30000\nsession_keep_alive = 15000\n{tls}"
        "\n[/ari]\ntype = restriction\ndeny = 0.0.0.0/0\ndeny = ::/0\npermit = 127.0.0.1/32\n"
    )


def _ari(machine: Machine) -> str:
    return (
        f"[general]\nenabled = yes\npretty = no\nwebsocket_write_timeout = 1000\nchannelvars = {','.join(VARIABLES)}\n"
        f"\n[{machine.ari_user}]\ntype = user\nread_only = no\npassword_format = plain\npassword = {machine.ari_password}\n"
    )


def _music(machine: Machine) -> str:
    return (
        f"[default]\nmode = playlist\nentry = {machine.music}/tune\n\n"
        f"[rescue]\nmode = playlist\nentry = {machine.sounds}/rescue_wait\nentry = {machine.music}/tune\n"
    )


_TONES = """\
[general]
country = cn

[cn]
description = China
ringcadence = 1000,4000
dial = 450
busy = 450/350,0/350
ring = 450/1000,0/4000
congestion = 450/700,0/700
callwaiting = 450/400,0/4000
"""
