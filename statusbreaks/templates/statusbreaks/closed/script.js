(function () {
  "use strict";
  var body = document.body, lang = document.documentElement.lang;
  var all = function (selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); };

  function today() {
    try { return new Intl.DateTimeFormat("en-CA", {timeZone: body.dataset.zone, year: "numeric", month: "2-digit", day: "2-digit"}).format(); }
    catch (e) { return ""; }
  }

  function tell() {
    var now = Date.now(), date = today();
    all("[data-date]").forEach(function (each) {
      each.dataset.day = each.dataset.day || each.textContent;
      each.textContent = each.dataset.date === date ? body.dataset.today : each.dataset.day;
    });
    all("[data-from]").forEach(function (each) {
      each.hidden = now < each.dataset.from * 1000 || now >= each.dataset.to * 1000;
    });
    all("[data-in]").forEach(function (each) {
      var minutes = Math.round((new Date(each.parentNode.getAttribute("datetime")) - now) / 60000);
      each.hidden = minutes < 1 || minutes > 1440 || !Intl.RelativeTimeFormat;
      if (!each.hidden) {
        var words = new Intl.RelativeTimeFormat(lang);
        each.textContent = "(" + (minutes < 90 ? words.format(minutes, "minute") : words.format(Math.round(minutes / 60), "hour")) + ")";
      }
    });
  }

  var line = document.getElementById("poll"), status = line.firstElementChild, button = line.querySelector("button");
  var paused = false, delay = 120, timer;

  function show() {
    status.textContent = paused ? status.dataset.off : status.dataset.on;
    button.textContent = paused ? button.dataset.resume : button.dataset.pause;
  }

  function leave() {
    var back = document.querySelector(".notice a");
    location.replace(back ? back.href : location.href.split("#")[0]);
  }

  function wait() {
    clearTimeout(timer);
    if (!paused) timer = setTimeout(ask, delay * 1000 * (0.75 + Math.random() / 2));
  }

  function ask() {
    if (document.hidden) return wait();
    fetch(location.href, {method: "HEAD", cache: "no-store", headers: {Accept: "text/html"}}).then(function (answer) {
      delay = 120;
      var edition = answer.headers.get("Shop-Edition");
      if (answer.status !== 503 || (edition && edition !== body.dataset.edition)) leave(); else wait();
    }, function () { delay = Math.min(delay * 2, 900); wait(); });
  }

  button.addEventListener("click", function () { paused = !paused; show(); wait(); });
  tell();
  setInterval(tell, 30000);
  if (window.fetch) { show(); line.hidden = false; wait(); }
})();
