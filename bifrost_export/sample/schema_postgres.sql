-- Bifrost's log store in PostgreSQL: the tables and secondary indexes that its models declare.

CREATE TABLE "migrations" (
    "id"         varchar(255) PRIMARY KEY,
    "sequence"   bigint,
    "applied_at" timestamptz,
    "status"     varchar(50)
);

CREATE SEQUENCE logs_inc_number_seq;

CREATE TABLE "logs" (
    "id"                         varchar(255),
    "inc_number"                 bigint        DEFAULT nextval('logs_inc_number_seq'),
    "parent_request_id"          varchar(255),
    "timestamp"                  timestamptz   NOT NULL,
    "object_type"                varchar(255)  NOT NULL,
    "provider"                   varchar(255)  NOT NULL,
    "model"                      varchar(255)  NOT NULL,
    "alias"                      varchar(255),
    "canonical_model_name"       varchar(255),
    "alias_model_family"         varchar(255),
    "server_side_fallback_model" varchar(255),
    "served_model"               varchar(255),
    "number_of_retries"          bigint        DEFAULT 0,
    "fallback_index"             bigint        DEFAULT 0,
    "selected_key_id"            varchar(255),
    "selected_key_name"          varchar(255),
    "attempt_trail"              text,
    "virtual_key_id"             varchar(255),
    "virtual_key_name"           varchar(255),
    "routing_engines_used"       varchar(255),
    "tool_call_names"            text,
    "routing_rule_id"            varchar(255),
    "routing_rule_name"          varchar(255),
    "complexity_tier"            varchar(50),
    "complexity_mechanism"       varchar(50),
    "complexity_score"           numeric,
    "session_id"                 varchar(255),
    "selected_prompt_name"       varchar(255),
    "selected_prompt_version"    varchar(64),
    "selected_prompt_id"         varchar(36),
    "user_id"                    varchar(255),
    "user_name"                  varchar(255),
    "user_email"                 varchar(255),
    "team_id"                    varchar(255),
    "team_name"                  varchar(255),
    "customer_id"                varchar(255),
    "customer_name"              varchar(255),
    "business_unit_id"           varchar(255),
    "business_unit_name"         varchar(255),
    "project_id"                 varchar(255),
    "project_name"               varchar(255),
    "team_ids"                   text,
    "team_names"                 text,
    "customer_ids"               text,
    "customer_names"             text,
    "business_unit_ids"          text,
    "business_unit_names"        text,
    "user_agent"                 varchar(512),
    "app"                        varchar(128),
    "input_history"              text,
    "responses_input_history"    text,
    "output_message"             text,
    "responses_output"           text,
    "embedding_output"           text,
    "rerank_output"              text,
    "ocr_output"                 text,
    "params"                     text,
    "tools"                      text,
    "tool_calls"                 text,
    "speech_input"               text,
    "transcription_input"        text,
    "ocr_input"                  text,
    "image_generation_input"     text,
    "image_edit_input"           text,
    "image_variation_input"      text,
    "video_generation_input"     text,
    "video_edit_input"           text,
    "speech_output"              text,
    "transcription_output"       text,
    "image_generation_output"    text,
    "list_models_output"         text,
    "video_generation_output"    text,
    "video_retrieve_output"      text,
    "video_download_output"      text,
    "video_list_output"          text,
    "video_delete_output"        text,
    "cache_debug"                text,
    "guardrail_debug"            text,
    "routing_metadata"           text,
    "latency"                    numeric,
    "upstream_latency"           numeric,
    "overhead_latency"           numeric,
    "overhead_breakdown"         text,
    "token_usage"                text,
    "input_cost"                 numeric       DEFAULT 0,
    "output_cost"                numeric       DEFAULT 0,
    "additional_cost"            numeric       DEFAULT 0,
    "cost"                       numeric,
    "status"                     varchar(50)   NOT NULL,
    "stop_reason"                varchar(50),
    "error_details"              text,
    "stream"                     boolean       DEFAULT false,
    "content_summary"            text,
    "raw_request"                text,
    "raw_response"               text,
    "passthrough_request_body"   text,
    "passthrough_response_body"  text,
    "routing_engine_logs"        text,
    "plugin_logs"                text,
    "metadata"                   text,
    "is_large_payload_request"   boolean       DEFAULT false,
    "is_large_payload_response"  boolean       DEFAULT false,
    "has_object"                 boolean       DEFAULT false,
    "content_hidden"             boolean       DEFAULT false,
    "redaction_mapping"          text,
    "cluster_node_id"            varchar(255),
    "budget_ids"                 text,
    "rate_limit_ids"             text,
    "prompt_tokens"              bigint        DEFAULT 0,
    "completion_tokens"          bigint        DEFAULT 0,
    "total_tokens"               bigint        DEFAULT 0,
    "cached_read_tokens"         bigint        DEFAULT 0,
    "batch_debug"                text,
    "video_debug"                text,
    "service_tier"               varchar(32),
    "speed"                      varchar(32),
    "inference_geo"              varchar(32),
    "created_at"                 timestamptz   NOT NULL,
    PRIMARY KEY ("id")
);

ALTER SEQUENCE logs_inc_number_seq OWNED BY logs.inc_number;

CREATE TABLE "mcp_tool_logs" (
    "user_name"           varchar(255),
    "team_name"           varchar(255),
    "customer_name"       varchar(255),
    "business_unit_name"  varchar(255),
    "team_ids"            text,
    "team_names"          text,
    "customer_ids"        text,
    "customer_names"      text,
    "business_unit_ids"   text,
    "business_unit_names" text,
    "budget_ids"          text,
    "rate_limit_ids"      text,
    "id"                  varchar(255),
    "request_id"          varchar(255),
    "llm_request_id"      varchar(255),
    "timestamp"           timestamptz   NOT NULL,
    "tool_name"           varchar(255)  NOT NULL,
    "server_label"        varchar(255),
    "virtual_key_id"      varchar(255),
    "virtual_key_name"    varchar(255),
    "user_id"             varchar(255),
    "team_id"             varchar(255),
    "customer_id"         varchar(255),
    "business_unit_id"    varchar(255),
    "project_id"          varchar(255),
    "project_name"        varchar(255),
    "user_agent"          varchar(512),
    "app"                 varchar(128),
    "arguments"           text,
    "result"              text,
    "error_details"       text,
    "latency"             numeric,
    "cost"                numeric,
    "status"              varchar(50)   NOT NULL,
    "metadata"            text,
    "plugin_logs"         text,
    "has_object"          boolean       DEFAULT false,
    "created_at"          timestamptz   NOT NULL,
    "redaction_mapping"   text,
    "device_id"           varchar(255),
    "app_key"             varchar(64),
    "decision"            varchar(16),
    "source"              varchar(16),
    PRIMARY KEY ("id")
);

CREATE TABLE "async_jobs" (
    "id"                  varchar(255),
    "status"              varchar(50)   NOT NULL,
    "request_id"          varchar(255),
    "request_type"        varchar(50)   NOT NULL,
    "response"            text,
    "status_code"         bigint        DEFAULT 0,
    "error"               text,
    "virtual_key_id"      varchar(255),
    "webhook_endpoint_id" varchar(36),
    "result_ttl"          bigint        DEFAULT 3600,
    "expires_at"          timestamptz,
    "created_at"          timestamptz   NOT NULL,
    "completed_at"        timestamptz,
    PRIMARY KEY ("id")
);

CREATE TABLE "webhook_deliveries" (
    "id"           varchar(36),
    "webhook_id"   varchar(36)   NOT NULL,
    "endpoint_id"  varchar(36)   NOT NULL,
    "async_job_id" varchar(255)  NOT NULL,
    "request_id"   varchar(255),
    "event"        varchar(255)  NOT NULL,
    "attempt_no"   bigint        NOT NULL DEFAULT 0,
    "outcome"      varchar(50)   NOT NULL,
    "status_code"  bigint        DEFAULT 0,
    "error"        text,
    "created_at"   timestamptz   NOT NULL,
    "expires_at"   timestamptz,
    PRIMARY KEY ("id")
);

CREATE INDEX idx_logs_parent_request_id ON logs (parent_request_id);
CREATE INDEX idx_logs_timestamp ON logs (timestamp);
CREATE INDEX idx_logs_object_type ON logs (object_type);
CREATE INDEX idx_logs_provider ON logs (provider);
CREATE INDEX idx_logs_model ON logs (model);
CREATE INDEX idx_logs_alias ON logs (alias);
CREATE INDEX idx_logs_selected_key_id ON logs (selected_key_id);
CREATE INDEX idx_logs_virtual_key_id ON logs (virtual_key_id);
CREATE INDEX idx_logs_routing_rule_id ON logs (routing_rule_id);
CREATE INDEX idx_logs_user_id ON logs (user_id);
CREATE INDEX idx_logs_team_id ON logs (team_id);
CREATE INDEX idx_logs_customer_id ON logs (customer_id);
CREATE INDEX idx_logs_business_unit_id ON logs (business_unit_id);
CREATE INDEX idx_logs_project_id ON logs (project_id);
CREATE INDEX idx_logs_user_agent ON logs (user_agent);
CREATE INDEX idx_logs_app ON logs (app);
CREATE INDEX idx_logs_latency ON logs (latency);
CREATE INDEX idx_logs_upstream_latency ON logs (upstream_latency);
CREATE INDEX idx_logs_overhead_latency ON logs (overhead_latency);
CREATE INDEX idx_logs_cost ON logs (cost);
CREATE INDEX idx_logs_status ON logs (status);
CREATE INDEX idx_logs_stop_reason ON logs (stop_reason);
CREATE INDEX idx_logs_total_tokens ON logs (total_tokens);
CREATE INDEX idx_logs_created_at ON logs (created_at);
CREATE INDEX idx_logs_ts_provider_status ON logs (timestamp, provider, status);
CREATE INDEX idx_logs_status_timestamp ON logs (status, timestamp);
CREATE INDEX idx_logs_status_created_at ON logs (status, created_at);
CREATE INDEX idx_logs_complexity_tier ON logs (complexity_tier) WHERE complexity_tier IS NOT NULL;
CREATE INDEX idx_logs_complexity_mechanism ON logs (complexity_mechanism) WHERE complexity_mechanism IS NOT NULL;
CREATE INDEX idx_logs_session_id ON logs (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX idx_logs_cluster_node_inc_usage ON logs (cluster_node_id, status, inc_number) WHERE cluster_node_id IS NOT NULL AND inc_number IS NOT NULL;
CREATE INDEX idx_logs_histogram_cover ON logs (status, timestamp, selected_key_id, virtual_key_id, routing_rule_id, provider, object_type, model, cost, prompt_tokens, completion_tokens, total_tokens, cached_read_tokens);
CREATE INDEX idx_mcp_logs_request_id ON mcp_tool_logs (request_id);
CREATE INDEX idx_mcp_logs_llm_request_id ON mcp_tool_logs (llm_request_id);
CREATE INDEX idx_mcp_logs_tool_name ON mcp_tool_logs (tool_name);
CREATE INDEX idx_mcp_logs_server_label ON mcp_tool_logs (server_label);
CREATE INDEX idx_mcp_logs_virtual_key_id ON mcp_tool_logs (virtual_key_id);
CREATE INDEX idx_mcp_logs_user_id ON mcp_tool_logs (user_id);
CREATE INDEX idx_mcp_logs_team_id ON mcp_tool_logs (team_id);
CREATE INDEX idx_mcp_logs_customer_id ON mcp_tool_logs (customer_id);
CREATE INDEX idx_mcp_logs_business_unit_id ON mcp_tool_logs (business_unit_id);
CREATE INDEX idx_mcp_logs_project_id ON mcp_tool_logs (project_id);
CREATE INDEX idx_mcp_logs_latency ON mcp_tool_logs (latency);
CREATE INDEX idx_mcp_logs_cost ON mcp_tool_logs (cost);
CREATE INDEX idx_mcp_logs_status ON mcp_tool_logs (status);
CREATE INDEX idx_mcp_logs_timestamp ON mcp_tool_logs (timestamp);
