from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    name = "anju.calls.recordings"
    label = "recordings"
    verbose_name = "通话录音"
