// Exchanges the code of a link for a session. The code stands behind # and is so in no request and no log; a person
// presses the button, because a program that looks at links beforehand must not use them up.
import { unary } from "/dashboard/rpc.js";

const words = document.getElementById("words");
const button = document.getElementById("open");
const problem = document.getElementById("problem");
let code = "";

function take() {
  code = location.hash.slice(1);
  // Neither in the history nor in what somebody sees who looks over a shoulder.
  if (code) history.replaceState(null, "", "/login");
  button.disabled = !code;
  if (code) {
    problem.hidden = true;
    button.focus();
  } else {
    words.textContent = "There is no code in this address: open the whole link, with what stands behind #.";
  }
}

button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    await unary("OpenDashboardSession", { code });
    location.replace("/");
  } catch (error) {
    problem.textContent = error.message[0].toUpperCase() + error.message.slice(1);
    problem.hidden = false;
  }
});

addEventListener("hashchange", take);
take();
