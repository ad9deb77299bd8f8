// Our pages in Hangfire's dashboard. They work without it.
(() => {
  'use strict';
})();
