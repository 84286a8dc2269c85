"""What Asterisk 22 sends, as it describes itself. Written by generate.py: do not change by hand."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class CallerID(TypedDict):
    name: str
    number: str


class DialplanCEP(TypedDict):
    context: str
    exten: str
    priority: int
    app_name: str
    app_data: str


class Channel(TypedDict):
    id: str
    protocol_id: str
    name: str
    state: Literal[
        "Down",
        "Rsrved",
        "OffHook",
        "Dialing",
        "Ring",
        "Ringing",
        "Up",
        "Busy",
        "Dialing Offhook",
        "Pre-ring",
        "Unknown",
    ]
    caller: CallerID
    connected: CallerID
    accountcode: str
    dialplan: DialplanCEP
    creationtime: str
    language: str
    channelvars: NotRequired[dict[str, Any]]
    caller_rdnis: NotRequired[str]
    tenantid: NotRequired[str]


class StasisStart(TypedDict):
    type: Literal["StasisStart"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    args: list[str]
    channel: Channel
    replace_channel: NotRequired[Channel]


class StasisEnd(TypedDict):
    type: Literal["StasisEnd"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    channel: Channel


class ChannelStateChange(TypedDict):
    type: Literal["ChannelStateChange"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    channel: Channel


class ChannelDestroyed(TypedDict):
    type: Literal["ChannelDestroyed"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    cause: int
    cause_txt: str
    tech_cause: NotRequired[int]
    channel: Channel


class ChannelHangupRequest(TypedDict):
    type: Literal["ChannelHangupRequest"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    cause: NotRequired[int]
    tech_cause: NotRequired[int]
    soft: NotRequired[bool]
    channel: Channel


class ChannelDtmfReceived(TypedDict):
    type: Literal["ChannelDtmfReceived"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    digit: str
    duration_ms: int
    channel: Channel


class ChannelTalkingStarted(TypedDict):
    type: Literal["ChannelTalkingStarted"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    channel: Channel


class ChannelTalkingFinished(TypedDict):
    type: Literal["ChannelTalkingFinished"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    channel: Channel
    duration: int


class Bridge(TypedDict):
    id: str
    technology: str
    bridge_type: Literal["mixing", "holding"]
    bridge_class: str
    creator: str
    name: str
    channels: list[str]
    video_mode: NotRequired[str]
    video_source_id: NotRequired[str]
    creationtime: str
    bridgevars: NotRequired[dict[str, Any]]


class ChannelEnteredBridge(TypedDict):
    type: Literal["ChannelEnteredBridge"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    bridge: Bridge
    channel: NotRequired[Channel]


class ChannelLeftBridge(TypedDict):
    type: Literal["ChannelLeftBridge"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    bridge: Bridge
    channel: Channel


class Playback(TypedDict):
    id: str
    media_uri: str
    next_media_uri: NotRequired[str]
    target_uri: str
    language: NotRequired[str]
    state: Literal["queued", "playing", "continuing", "done", "failed"]


class PlaybackFinished(TypedDict):
    type: Literal["PlaybackFinished"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    playback: Playback


class LiveRecording(TypedDict):
    name: str
    format: str
    target_uri: str
    state: Literal["queued", "recording", "paused", "done", "failed", "canceled"]
    duration: NotRequired[int]
    talking_duration: NotRequired[int]
    silence_duration: NotRequired[int]
    cause: NotRequired[str]


class RecordingFinished(TypedDict):
    type: Literal["RecordingFinished"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    recording: LiveRecording


class RecordingFailed(TypedDict):
    type: Literal["RecordingFailed"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str
    recording: LiveRecording


class ApplicationReplaced(TypedDict):
    type: Literal["ApplicationReplaced"]
    asterisk_id: NotRequired[str]
    application: str
    timestamp: str


class Application(TypedDict):
    name: str
    channel_ids: list[str]
    bridge_ids: list[str]
    endpoint_ids: list[str]
    device_names: list[str]
    events_allowed: list[dict[str, Any]]
    events_disallowed: list[dict[str, Any]]


class Endpoint(TypedDict):
    technology: str
    resource: str
    state: NotRequired[Literal["unknown", "offline", "online"]]
    channel_ids: list[str]


class BuildInfo(TypedDict):
    os: str
    kernel: str
    options: str
    machine: str
    date: str
    user: str


class SystemInfo(TypedDict):
    version: str
    entity_id: str


class SetId(TypedDict):
    user: str
    group: str


class ConfigInfo(TypedDict):
    name: str
    default_language: str
    max_channels: NotRequired[int]
    max_open_files: NotRequired[int]
    max_load: NotRequired[float]
    setid: SetId


class StatusInfo(TypedDict):
    startup_time: str
    last_reload_time: str


class AsteriskInfo(TypedDict):
    build: NotRequired[BuildInfo]
    system: NotRequired[SystemInfo]
    config: NotRequired[ConfigInfo]
    status: NotRequired[StatusInfo]


AnyEvent = (
    StasisStart
    | StasisEnd
    | ChannelStateChange
    | ChannelDestroyed
    | ChannelHangupRequest
    | ChannelDtmfReceived
    | ChannelTalkingStarted
    | ChannelTalkingFinished
    | ChannelEnteredBridge
    | ChannelLeftBridge
    | PlaybackFinished
    | RecordingFinished
    | RecordingFailed
    | ApplicationReplaced
)
