// Times the client side of amazon-cognito-identity-js for srp_log_in.py: a line of JSON in, a line of JSON out.
// First {poolName, username, password, serverB, salt}; then {calls} for the seconds that so many logins take.
const { createInterface } = require("node:readline");

globalThis.navigator ??= { userAgent: "node" };
const { default: AuthenticationHelper } = require("amazon-cognito-identity-js/lib/AuthenticationHelper");
const { default: BigInteger } = require("amazon-cognito-identity-js/lib/BigInteger");

let given, B, salt;

// The library calls back before it returns.
function logIn() {
  const helper = new AuthenticationHelper(given.poolName);
  let key;
  helper.getLargeAValue((error) => {
    if (error) throw error;
    helper.getPasswordAuthenticationKey(given.username, given.password, B, salt, (failed, derived) => {
      if (failed) throw failed;
      key = derived;
    });
  });
  if (!key) throw new Error("no key was derived");
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  let answer = { node: process.version };
  if (request.calls) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < request.calls; i++) logIn();
    answer = { seconds: Number(process.hrtime.bigint() - start) / 1e9 };
  } else {
    given = request;
    B = new BigInteger(request.serverB, 16);
    salt = new BigInteger(request.salt, 16);
  }
  console.log(JSON.stringify(answer));
});
