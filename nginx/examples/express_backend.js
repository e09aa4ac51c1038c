// An Express backend behind the gate (serve=@api, or serve=http://127.0.0.1:8403).
//
//     npm install express && node express_backend.js
//
// What was sold comes in L402-* headers. No client can forge them, as long as the web server alone reaches
// this port: listen on loopback. A use is given back for 5xx, and for nothing that you answer with 4xx.
const express = require("express");
const app = express();
app.use(express.json());

app.post("/api/echo", (request, response) => {
  const access = request.get("L402-Access");
  if (access !== "paid" && access !== "free") {
    return response.status(403).json({ error: "ask at the front door: this did not come through the gate" });
  }
  const left = request.get("L402-Uses-Left");
  response.json({ result: request.body.prompt, access, payment: request.get("L402-Payment-Hash") ?? "",
    uses_left: left === undefined ? null : Number(left) });
});

app.listen(process.env.PORT || 8403, "127.0.0.1");
