"""A FastAPI backend behind the gate (serve=@api, or serve=http://127.0.0.1:8403).

    pip install fastapi uvicorn && uvicorn fastapi_backend:app --port 8403

What was sold comes in L402-* headers. No client can forge them, as long as the web server alone reaches
this port: listen on loopback. A use is given back for 5xx, and for nothing that you answer with 4xx.
"""
from typing import Annotated

from fastapi import Body, FastAPI, Header, HTTPException

app = FastAPI()


@app.post("/api/echo")
def echo(prompt: Annotated[str, Body(embed=True)], l402_access: Annotated[str, Header()] = "",
         l402_payment_hash: Annotated[str, Header()] = "", l402_uses_left: Annotated[int | None, Header()] = None):
    if l402_access not in ("paid", "free"):
        raise HTTPException(403, "ask at the front door: this did not come through the gate")
    return {"result": prompt, "access": l402_access, "payment": l402_payment_hash, "uses_left": l402_uses_left}
