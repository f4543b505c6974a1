// The link in the terminal has the token behind the #, which browsers send to no server. Pasted into a tab that shows
// this page already it loads nothing: only the part behind the # changes.
function logIn() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
    document.getElementById("token").value = token;
    document.getElementById("login").submit();
  }
}
addEventListener("hashchange", logIn);
logIn();
