"""For more than one machine: ``gunicorn 'app:create_app()'`` reads this file. See docs/operations.md."""

import os

bind = f"{os.environ.get('NIGHTBELL_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8080')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("NIGHTBELL_WEB_THREADS", "8"))
# Twilio gives up after 15 seconds; whoever is slower is not waited for.
timeout = 20
keepalive = 65
# A control socket in the home folder is one more thing that can be in the way.
control_socket_disable = True
