// Times aws-jwt-verify for verify_tokens.py: a line of JSON in, a line of JSON out.
// First {poolId, clientId, jwks, tokens}; then {calls} for the seconds that so many take, or {token} for whether it is accepted.
const { createInterface } = require("node:readline");
const { CognitoJwtVerifier } = require("aws-jwt-verify");

let verifier, tokens;

function answer(request) {
  if (request.jwks) {
    verifier = CognitoJwtVerifier.create({
      userPoolId: request.poolId,
      clientId: request.clientId,
      tokenUse: "access",
    });
    verifier.cacheJwks(request.jwks);
    tokens = request.tokens;
    return { node: process.version };
  }
  if (request.calls) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < request.calls; i++) verifier.verifySync(tokens[i % tokens.length]);
    return { seconds: Number(process.hrtime.bigint() - start) / 1e9 };
  }
  try {
    verifier.verifySync(request.token);
    return { accepted: true };
  } catch {
    return { accepted: false };
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  console.log(JSON.stringify(answer(JSON.parse(line))));
});
