// Drive amazon-cognito-identity-js: steps come in as JSON on standard input, what happened goes out as JSON.
"use strict";

globalThis.navigator ??= { userAgent: "node" };
const { AuthenticationDetails, CognitoUser, CognitoUserPool } = require("amazon-cognito-identity-js");

const operations = [];
const realFetch = globalThis.fetch;
globalThis.fetch = (address, options) => {
  operations.push(options.headers["X-Amz-Target"].split(".")[1]);
  return realFetch(address, options);
};

class Store {
  constructor() {
    this.values = new Map();
  }
  setItem(name, value) {
    this.values.set(name, String(value));
  }
  getItem(name) {
    return this.values.get(name) ?? null;
  }
  removeItem(name) {
    this.values.delete(name);
  }
}

const spoken = (session) => ({
  access: session.getAccessToken().getJwtToken(),
  id: session.getIdToken().getJwtToken(),
  refresh: session.getRefreshToken().getToken(),
  valid: session.isValid(),
});

function logIn(user, step) {
  return new Promise((resolve, reject) => {
    const asked = [];
    const callbacks = {
      onSuccess: (session) => resolve({ asked, ...spoken(session) }),
      onFailure: reject,
      newPasswordRequired: (attributes, required) => {
        asked.push({ name: "NEW_PASSWORD_REQUIRED", attributes, required });
        user.completeNewPasswordChallenge(step.newPassword, step.attributes ?? {}, callbacks);
      },
      totpRequired: (name) => {
        asked.push({ name });
        user.sendMFACode(step.code, callbacks, name);
      },
      customChallenge: (parameters) => {
        asked.push({ name: "CUSTOM_CHALLENGE", parameters });
        user.sendCustomChallengeAnswer(step.answer, callbacks);
      },
    };
    const details = new AuthenticationDetails({ Username: step.username, Password: step.password });
    if (step.custom) user.setAuthenticationFlowType("CUSTOM_AUTH");
    if (step.password) user.authenticateUser(details, callbacks);
    else user.initiateAuth(details, callbacks);
  });
}

const STEPS = {
  logIn,
  refresh: (user) =>
    new Promise((resolve, reject) => {
      const token = user.getSignInUserSession().getRefreshToken();
      user.refreshSession(token, (error, session) => (error ? reject(error) : resolve(spoken(session))));
    }),
  signOutEverywhere: (user) =>
    new Promise((resolve, reject) => user.globalSignOut({ onSuccess: (said) => resolve({ said }), onFailure: reject })),
  rememberDevice: (user) =>
    new Promise((resolve, reject) =>
      user.setDeviceStatusRemembered({ onSuccess: (said) => resolve({ said }), onFailure: reject })
    ),
  attributes: (user) =>
    new Promise((resolve, reject) =>
      user.getUserAttributes((error, found) =>
        error ? reject(error) : resolve(Object.fromEntries(found.map((one) => [one.getName(), one.getValue()])))
      )
    ),
};

async function main() {
  let text = "";
  for await (const part of process.stdin) text += part;
  const { url, poolId, clientId, steps } = JSON.parse(text);
  const Storage = new Store();
  const Pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint: `${url}/`, Storage });
  const results = [];
  let user = null;
  for (const step of steps) {
    operations.length = 0;
    if (step.username) user = new CognitoUser({ Username: step.username, Pool, Storage });
    try {
      const result = await STEPS[step.name](user, step);
      results.push({ ...result, operations: [...operations] });
    } catch (error) {
      results.push({ error: error.code ?? error.name, message: error.message, operations: [...operations] });
    }
  }
  process.stdout.write(JSON.stringify(results));
}

main();
