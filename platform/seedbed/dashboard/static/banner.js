// What went wrong, said above the part of the page that it is about. An empty message takes it away again.
export function banner(id, before, message) {
  let note = document.getElementById(id);
  if (!message) return note?.remove();
  if (!note) {
    note = document.createElement("p");
    note.id = id;
    note.className = "banner bad";
    note.setAttribute("role", "alert");
    before.before(note);
  }
  if (note.textContent !== message) note.textContent = message; // said anew it would be read aloud anew
}
