//! Other gateways: each passes requests on to the floor, as it would to a service.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;

/// nginx as a reverse proxy: one process, kept connections to the upstream, no buffering of streams.
pub fn nginx(folder: &Path, port: u16, upstream: u16) -> Result<Command> {
    let folder = folder.display();
    let config = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    client_max_body_size 16m; client_body_buffer_size 16m;
    upstream floor {{ server 127.0.0.1:{upstream}; keepalive 2048; }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000;
        location / {{
            proxy_pass http://floor;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
            proxy_buffering off;
            proxy_read_timeout 600s;
        }}
    }}
}}
"
    );
    let path = format!("{folder}/nginx.conf");
    fs::write(&path, config)?;
    let mut command = Command::new("nginx");
    command.args(["-c", &path]);
    Ok(command)
}

/// LiteLLM's proxy with one model and no database.
pub fn litellm(program: &Path, folder: &Path, port: u16, upstream: u16) -> Result<Command> {
    let config = format!(
        "model_list:
  - model_name: bench
    litellm_params:
      model: openai/bench
      api_base: http://127.0.0.1:{upstream}/v1
      api_key: none
general_settings:
  dangerously_permit_weak_or_unset_master_key: true
litellm_settings:
  telemetry: false
"
    );
    let path = folder.join("litellm.yaml");
    fs::write(&path, config)?;
    let mut command = Command::new(program);
    command.args(["--host", "127.0.0.1", "--num_workers", "1", "--config"]).arg(path);
    command.args(["--port", &port.to_string()]).env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    Ok(command)
}
