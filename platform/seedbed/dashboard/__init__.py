"""The dashboard: what registry and stores say, in a browser. It asks neither Ray nor MLflow, and keeps nothing itself.

    registry, stores --watch.py--> View --pages/--> HTML, once for all viewers --hub.py--> server-sent events

Pages are made on the server, from templates that escape whatever is put in; `static/live.js` puts a newer version of a
page's live part in place of the older one. Reading order: `server` (address, token), `app` (how it is put together),
`login`, `sessions`, `guards`, `watch`, `seen_state` (what may be called running), `pool`, `store_reads` (how long a
page waits), `run_details`, `curves_feed`, `sparks`, `log_tail`, `hub`, `drawings`, `units`, then `pages/`, one file for
each page, and `pages/subject` for the run that a page is about.
"""
