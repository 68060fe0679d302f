"""Bifrost's `object_type` as the endpoint and method of a request; legacy values stand for their present names."""

from __future__ import annotations

_BY_METHOD: dict[str, dict[str, str]] = {
    "POST": {
        "text_completion": "/v1/completions",
        "text_completion_stream": "/v1/completions",
        "chat_completion": "/v1/chat/completions",
        "chat_completion_stream": "/v1/chat/completions",
        "responses": "/v1/responses",
        "responses_stream": "/v1/responses",
        "websocket_responses": "/v1/responses",
        "responses_cancel": "/v1/responses/{response_id}/cancel",
        "compaction": "/v1/responses/compact",
        "count_tokens": "/v1/responses/input_tokens",
        "embedding": "/v1/embeddings",
        "rerank": "/v1/rerank",
        "decisions": "/v1/decisions",
        "ocr": "/v1/ocr",
        "speech": "/v1/audio/speech",
        "speech_stream": "/v1/audio/speech",
        "transcription": "/v1/audio/transcriptions",
        "transcription_stream": "/v1/audio/transcriptions",
        "image_generation": "/v1/images/generations",
        "image_generation_stream": "/v1/images/generations",
        "image_edit": "/v1/images/edits",
        "image_edit_stream": "/v1/images/edits",
        "image_variation": "/v1/images/variations",
        "video_generation": "/v1/videos",
        "video_edit": "/v1/videos/edits",
        "video_remix": "/v1/videos/{video_id}/remix",
        "batch_create": "/v1/batches",
        "batch_cancel": "/v1/batches/{batch_id}/cancel",
        "file_upload": "/v1/files",
        "container_create": "/v1/containers",
        "container_file_create": "/v1/containers/{container_id}/files",
        "cached_content_create": "/genai/v1beta/cachedContents",
        "mcp_tool_execution": "/v1/mcp/tool/execute",
    },
    "GET": {
        "list_models": "/v1/models",
        "responses_retrieve": "/v1/responses/{response_id}",
        "responses_retrieve_stream": "/v1/responses/{response_id}",
        "responses_input_items": "/v1/responses/{response_id}/input_items",
        "video_retrieve": "/v1/videos/{video_id}",
        "video_download": "/v1/videos/{video_id}/content",
        "video_list": "/v1/videos",
        "batch_list": "/v1/batches",
        "batch_retrieve": "/v1/batches/{batch_id}",
        "batch_results": "/v1/batches/{batch_id}/results",
        "file_list": "/v1/files",
        "file_retrieve": "/v1/files/{file_id}",
        "file_content": "/v1/files/{file_id}/content",
        "container_list": "/v1/containers",
        "container_retrieve": "/v1/containers/{container_id}",
        "container_file_list": "/v1/containers/{container_id}/files",
        "container_file_retrieve": "/v1/containers/{container_id}/files/{file_id}",
        "container_file_content": "/v1/containers/{container_id}/files/{file_id}/content",
        "cached_content_list": "/genai/v1beta/cachedContents",
        "cached_content_retrieve": "/genai/v1beta/cachedContents/{name}",
        "realtime": "/v1/realtime",
        "realtime.turn": "/v1/realtime",
        "live.session": "/v1/realtime",
    },
    "DELETE": {
        "responses_delete": "/v1/responses/{response_id}",
        "video_delete": "/v1/videos/{video_id}",
        "batch_delete": "/v1/batches/{batch_id}",
        "file_delete": "/v1/files/{file_id}",
        "container_delete": "/v1/containers/{container_id}",
        "container_file_delete": "/v1/containers/{container_id}/files/{file_id}",
        "cached_content_delete": "/genai/v1beta/cachedContents/{name}",
    },
    "PATCH": {"cached_content_update": "/genai/v1beta/cachedContents/{name}"},
}
ENDPOINTS = {name: (path, method) for method, paths in _BY_METHOD.items() for name, path in paths.items()}
"""`object_type` -> (endpoint, method)."""

LEGACY = {
    "chat.completion": "chat_completion",
    "chat.completion.chunk": "chat_completion_stream",
    "text.completion": "text_completion",
    "list": "embedding",
    "audio.speech": "speech",
    "audio.speech.chunk": "speech_stream",
    "audio.transcription": "transcription",
    "audio.transcription.chunk": "transcription_stream",
    "response": "responses",
    "response.completion.chunk": "responses_stream",
}
"""What older releases wrote -> the present name."""

PASSTHROUGH = ("passthrough", "passthrough_stream")
"""Kinds of request whose own path, method and status stand in `params`."""


def is_known(object_type: str) -> bool:
    """Return whether a kind of request has an endpoint of its own here."""
    return LEGACY.get(object_type, object_type) in (*ENDPOINTS, *PASSTHROUGH, "unknown", "")


def endpoint_of(object_type: str) -> tuple[str, str]:
    """The endpoint and method of a kind of request; an unknown one is a POST to `/v1/<object_type>`."""
    return ENDPOINTS.get(LEGACY.get(object_type, object_type), (f"/v1/{object_type}", "POST"))
