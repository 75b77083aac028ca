# لوحة التحكم: ما يقرؤه المشغّل في المؤسسة.
console-nav = لوحة التحكم
console-nav-home = نظرة عامة
console-nav-types = البطاقات
console-nav-offers = العروض
console-nav-credentials = الصادرة
console-nav-keys = المفاتيح
console-nav-webhooks = الإشعارات البرمجية
console-nav-audit = السجل
console-nav-operators = المشغّلون
console-footer = لوحة التحكم للمؤسسة التي تصدر البطاقات.
console-sign-in = سجّل الدخول مجددًا
console-sign-out = سجّل الخروج
console-signed-in = تم تسجيل الدخول في
console-to-home = إلى النظرة العامة
console-yes = نعم
console-no = لا
console-none = لا شيء هنا بعد.
console-all = الكل
console-older = الأقدم
console-search = بحث
console-cancel = إلغاء
console-optional = (اختياري)
console-not-recent = يتطلب هذا أن تكون قد سجّلت الدخول خلال الدقائق الخمس الأخيرة.
console-address = عنوان هذه الخدمة عنوان IP. لا تستخدم المتصفّحات مفاتيح المرور إلا حيث يوجد اسم، مثل localhost أو نطاق، لذلك يكون الدخول هنا برابط لمرة واحدة. هذا مخصص للتطوير.
console-sign-in-title = تسجيل الدخول إلى لوحة التحكم
console-sign-in-text = استخدم مفتاح المرور الذي أنشأته عند دعوتك.
console-sign-in-passkey = سجّل الدخول بمفتاح مرور
console-sign-in-link = اطلب رابطًا لمرة واحدة: ينشئه مدير في صفحة المشغّلين، أو بالأمر vouchsafe admin invite.
console-passkey-problem = لم ينجح ذلك، أو أنك ألغيته. حاوِل مجددًا، أو اطلب رابطًا جديدًا.
console-passkey-script = تحتاج مفاتيح المرور إلى JavaScript. فعّله لهذه الصفحة؛ بقية لوحة التحكم تعمل من دونه.
console-passkeys = مفاتيح مرورك
console-passkey-synced = مفتاح مرور مشترك بين أجهزتك
console-passkey-device = مفتاح مرور على جهاز واحد
console-passkey-added = أُضيف في
console-passkey-used = آخر استخدام في
console-passkey-remove = إزالة
console-passkey-remove-label = أزِل مفتاح المرور { $number }
console-passkey-add = أضِف مفتاح مرور
console-invitation-title = أنت مدعو
console-invitation-text = { $name }، يدخلك هذا الرابط إلى لوحة التحكم لدى { $issuer }. يعمل مرة واحدة.
console-invitation-passkey = أنشئ الآن مفتاح مرور: بعدها يسجّل جهازك دخولك ببصمتك أو وجهك أو رمز PIN الخاص به.
console-invitation-make = أنشئ مفتاح مرور وسجّل الدخول
console-invitation-accept = سجّل الدخول
console-role-viewer = مطّلع
console-role-operator = مشغّل
console-role-admin = مدير
console-role-viewer-text = يمكنه الاطلاع على كل شيء
console-role-operator-text = يمكنه أيضًا إنشاء العروض والتجديد والاستبدال والإنهاء والإيقاف والإلغاء
console-role-admin-text = يمكنه أيضًا تغيير بطاقات كثيرة دفعة واحدة، ودعوة المشغّلين وتعطيلهم وإزالتهم
console-role-viewer-you = يمكنك الاطلاع على كل شيء.
console-role-operator-you = يمكنك الاطلاع على كل شيء وإنشاء العروض، وتجديد البطاقات واستبدالها وإنهاؤها وإيقافها وإلغاؤها.
console-role-admin-you = يمكنك الاطلاع على كل شيء وإنشاء العروض، وتجديد البطاقات واستبدالها وإنهاؤها وإيقافها وإلغاؤها، وتغيير كثير منها دفعة واحدة، وإدارة المشغّلين.
console-operators-title = من يحق له تسجيل الدخول
console-invited = سلّم هذا الرابط إلى { $name }. يعمل مرة واحدة خلال 24 ساعة، ولا يُعرض مرة أخرى.
console-operator-disabled = لا يحق له تسجيل الدخول
console-operator-you = هذا أنت
console-operator-link = رابط جديد
console-operator-link-label = أنشئ رابطًا جديدًا إلى { $name }
console-operator-disable = تعطيل
console-operator-disable-label = عطّل { $name }
console-operator-enable = تفعيل
console-operator-enable-label = فعّل { $name }
console-operator-role-label = دور { $name }
console-operator-role-set = غيّر الدور
console-accounts = حسابات في أماكن أخرى
console-account-remove-label = أزِل الحساب { $number }
console-operator-passkeys-title = مفاتيح المرور
console-passkey-shared = مفتاح مرور مشترك بين عدة أجهزة
console-operator-passkeys = { FORM($number) ->
    [zero] لا مفاتيح مرور
    [one] مفتاح مرور واحد
    [two] مفتاحا مرور
    [few] { $number } مفاتيح مرور
    [many] { $number } مفتاح مرور
   *[other] { $number } مفتاح مرور
}
console-operator-account = حساب لدى { $issuer }
console-operator-no-way = لا شيء يسجّل دخوله: لا مفتاح مرور ولا حساب
console-operator-links = يسجّل الدخول بروابط لمرة واحدة
console-operator-look = عرض
console-operator-look-label = اعرض وسائل تسجيل الدخول لدى { $name }
console-operator-own = مفاتيح مرورك موجودة في صفحتك.
console-operator-take = من يفقد مفتاح مرور أو حسابًا يُسجَّل خروجه في كل مكان. الرابط الجديد هو طريق العودة.
console-operator-remove = أزِل من لوحة التحكم
console-operator-remove-title = هل تريد إزالة { $name } من لوحة التحكم؟
console-operator-remove-text = تتوقف مفاتيح المرور والحسابات والجلسات والروابط عن العمل. يبقى الاسم في القائمة لأن السجل يذكره. يمكن لمدير أن يفعّل المشغّل من جديد ويسلّمه رابطًا جديدًا.
console-operator-log = ما يذكره السجل عن هذا المشغّل
console-operator-all = كل المشغّلين
console-invite-title = ادعُ شخصًا
console-invite-name = الاسم
console-invite-role = الدور
console-invite = أنشئ رابطًا لمرة واحدة
console-home-title = نظرة عامة
console-count-issued = البطاقات الصادرة
console-count-open = العروض المنتظِرة
console-count-suspended = الموقوفة مؤقتًا
console-count-revoked = الملغاة
console-count-more = أكثر من { $number }
console-offer-new = عرض جديد
console-batch-new = عروض من جدول
console-types-title = البطاقات
console-type-look = { $name }: معاينة وتفاصيل
console-type-details = التفاصيل
console-type-offer = اعرض هذه البطاقة على شخص
console-type-offer-label = اعرض هذه البطاقة على شخص: { $name }
console-type-preview = كما تعرضها المحفظة
console-type-claims = ما تذكره البطاقة
console-claim-label = التسمية
console-claim-name = الاسم
console-claim-kind = النوع
console-claim-required = مطلوب
console-claim-withheld = يمكن إخفاؤه
console-kind-string = نص
console-kind-boolean = نعم أو لا
console-kind-integer = عدد صحيح
console-kind-number = عدد
console-kind-date = تاريخ
console-kind-country = رمز بلد
console-kind-bytes = بايتات
console-kind-picture = صورة
console-kind-object = مجموعة
console-kind-array = قائمة
console-type-technical = للمطوّرين
console-type-vct = معرّف النوع
console-type-configurations = تُعرض بصيغة
console-type-validity = مدة الصلاحية
console-type-version = الإصدار
console-days = { FORM($number) ->
    [zero] لا أيام
    [one] يوم واحد
    [two] يومان
    [few] { $number } أيام
    [many] { $number } يومًا
   *[other] { $number } يوم
}
console-batches-title = الجداول
console-batch-of = { $size } × { $name }
console-offer-choose = ما البطاقة؟
console-offer-title = عرض: { $name }
console-offer-problems = بعض الحقول تحتاج إلى مراجعة. لم يُنشأ شيء.
console-offer-make = أنشئ العرض
console-offer-made = العرض جاهز
console-offer-once = { $name }. تُعرض الروابط والرموز هذه المرة فقط.
console-offer-link = الرابط
console-offer-try = جرّبه في المحفظة التجريبية
console-offer-until = مفتوح حتى
console-offer-another = عرض آخر مثله
console-offer-pending = ينتظر
console-offer-redeemed = تم الاستلام
console-offer-expired = انتهت المهلة
console-offer-locked = رموز خاطئة كثيرة
console-qr-label = رمز لمسحه بمحفظة
console-code = الرمز
console-code-tx = رمز يُكتب في المحفظة
console-code-one-time = رمز لمرة واحدة يُكتب في صفحتنا
console-code-hint = سلّمه بطريقة غير طريقة الرابط.
console-record = رقم الملف
console-record-hint = رقمك الخاص لملف الشخص. لا يظهر على البطاقة.
console-grant = كيف يحصل الشخص على البطاقة
console-grant-link = بالرابط وحده
console-grant-code = برمز لمرة واحدة في صفحتنا
console-grant-link-short = رابط
console-grant-code-short = رمز لمرة واحدة
console-tx-code = اطلب رمزًا في المحفظة أيضًا (مع الرابط وحده فقط)
console-lifetime = مدة بقاء العرض مفتوحًا
console-lifetime-usual = المعتاد
console-lifetime-600 = 10 دقائق
console-lifetime-3600 = ساعة واحدة
console-lifetime-86400 = يوم واحد
console-lifetime-604800 = 7 أيام
console-hint-lines = واحد في كل سطر.
console-hint-json = بصيغة JSON.
console-hint-long = مرمّز: البايتات بصيغة base64url، والصورة كرابط بيانات.
console-hint-country = حرفان لاتينيان كبيران، مثل EG.
console-problem-record = مطلوب: من 1 إلى 256 محرفًا.
console-problem-tx-code = لا يكون الرمز في المحفظة إلا مع الرابط وحده.
console-problem-present = هذا الحقل مطلوب.
console-problem-string = يجب أن يكون نصًا.
console-problem-boolean = يجب أن يكون نعم أو لا.
console-problem-integer = يجب أن يكون عددًا صحيحًا.
console-problem-number = يجب أن يكون عددًا.
console-problem-date = يجب أن يكون تاريخًا: السنة ثم الشهر ثم اليوم.
console-problem-country = يجب أن يكون حرفين لاتينيين كبيرين.
console-problem-bytes = يجب أن يكون base64url من دون حشو.
console-problem-picture = يجب أن يكون صورة JPEG كرابط بيانات.
console-problem-object = يجب أن يكون كائنًا غير فارغ.
console-problem-array = يجب أن يكون قائمة.
console-problem-filled = يجب أن يحتوي على عنصر واحد على الأقل.
console-problem-absent = ليس في البطاقة حقل كهذا.
console-problem-element = لا يمكن أن تكون هذه القيمة في هذا الحقل.
console-problem-json = هذا ليس JSON.
console-batch-text = جدول (CSV) فيه شخص في كل صف، والحد الأقصى { $limit }. تُنشأ العروض كلها، أو لا يُنشأ أي منها.
console-batch-problems = الجدول غير مناسب. لم يُنشأ شيء.
console-batch-file = ملف
console-batch-paste = أو الصق الجدول هنا
console-batch-hint = يسمّي الصف الأول الأعمدة: record_id، وأسماء الحقول المذكورة في صفحة البطاقة.
console-batch-make = أنشئ العروض
console-batch-made = { FORM($size) ->
    [zero] لا عروض جاهزة
    [one] عرض واحد جاهز
    [two] عرضان جاهزان
    [few] { $size } عروض جاهزة
    [many] { $size } عرضًا جاهزًا
   *[other] { $size } عرض جاهز
}
console-batch-download = نزّل الروابط
console-batch-progress = اعرض من استلم بطاقته
console-batch-redeemed = تم استلام { $redeemed } من { $size }
console-batch-expired = لم تُستلم في الموعد: { $expired }.
console-batch-refresh = حدّث العرض
console-row-claim = الصف { $line }، { $field }:
console-row-record = الصف { $line }: يجب أن يكون record_id من 1 إلى 256 محرفًا.
console-row-csv = عدد أعمدة الصف { $line } لا يطابق الصف الأول.
console-row-empty = يسمّي الصف الأول الأعمدة، ويجب أن يليه صف واحد على الأقل.
console-row-no-record = لا يوجد عمود record_id.
console-row-column = العمود { $column } ليس حقلًا في هذه البطاقة يمكن لخلية أن تحمله، أو أنه مكرر.
console-row-too-many = عدد الصفوف أكثر من { $limit }.
console-row-cell = الصف { $line }، العمود { $column }: ليس نوع القيمة الذي يحتاج إليه الحقل.
console-row-tx-code = لا يكون الرمز في المحفظة إلا مع الرابط وحده.
console-type = البطاقة
console-state = الحالة
console-made = أُنشئ في
console-ends = الانتهاء
console-issued = الإصدار
console-changed = في هذه الحالة منذ
console-format = الصيغة
console-wallet = تقول المحفظة
console-id = الرقم
console-event-credential-accepted = حُفظت
console-event-credential-deleted = حُذفت
console-event-credential-failure = تعذّر حفظها
console-status-valid = صالحة
console-status-suspended = موقوفة مؤقتًا
console-status-revoked = ملغاة
console-status-expired = منتهية
console-status-superseded = مستبدلة
console-credential-kept = ما تذكره البطاقة لا يُحفظ هنا.
console-credential-log = ما جرى لها
console-suspend = أوقِف مؤقتًا
console-suspend-title = هل تريد إيقاف هذه البطاقة مؤقتًا؟
console-suspend-text = لا تُقبل حتى تستأنفها.
console-resume = استأنِف
console-resume-title = هل تريد استئناف هذه البطاقة؟
console-resume-text = تُقبل من جديد.
console-revoke = ألغِ
console-revoke-title = هل تريد إلغاء هذه البطاقة؟
console-revoke-text = لن تُقبل بعد ذلك أبدًا. لا رجوع عن هذا.
console-keys-text = أي مفتاح يوقّع ماذا، وإلى متى تسري شهادته.
console-purpose-sd-jwt = بطاقات للمحافظ (SD-JWT VC)
console-purpose-mdoc = بطاقات بصيغة mdoc
console-purpose-ldp = بطاقات مع Data Integrity
console-purpose-jwt = بطاقات بصيغة JWT
console-purpose-status = قوائم ما زال صالحًا
console-key-use = الاستخدام
console-key-now = يوقّع الآن
console-key-later = يوقّع لاحقًا
console-key-not = لم يعد يوقّع
console-key-from = من
console-key-until = حتى
console-key-certified = الشهادة حتى
console-key-algorithm = الخوارزمية
console-key-thumbprint = البصمة
console-webhooks-text = أنظمة المؤسسة التي تُبلَّغ بالأحداث.
console-webhook-title = إشعار برمجي
console-webhook-all = كل الأحداث
console-webhook-disabled = لا يُرسل شيء منذ
console-deliveries = الرسائل
console-event = الحدث
console-attempts = المحاولات
console-delivered = وصلت
console-delivery-waits = تنتظر
console-delivery-given-up = تم التخلي عنها
console-audit-check = تأكد من أن أحدًا لم يعدّل السجل
console-audit-whole = السجل كامل. عدد الأحداث: { $events }. احفظ السطر أدناه في مكان آخر؛ فهو يبيّن لاحقًا أن شيئًا لم يُقتطع.
console-audit-changed = عُدّل السجل عند الحدث { $event }.
console-audit-missing = الحدث { $event } مفقود.
console-audit-target = رقم عنصر
console-audit-number = الرقم
console-audit-at = متى
console-audit-who = من
console-audit-what = ماذا
console-audit-object = العنصر
console-failed-forbidden-title = دورك لا يسمح بهذا
console-failed-forbidden-text = لم يتغيّر شيء. يمكن لمدير أن يمنحك دورًا آخر.
console-failed-form-title = هذا النموذج قديم جدًا، أو جاء من صفحة أخرى
console-failed-form-text = لم يتغيّر شيء. افتح الصفحة من جديد وأرسل النموذج منها.
console-failed-malformed-title = لا يمكن قراءة هذا
console-failed-malformed-text = لم يتغيّر شيء. افتح الصفحة من جديد وحاوِل مرة أخرى.
console-failed-not-found-title = لا يوجد شيء هنا
console-failed-not-found-text = لم يكن هنا قط، أو أنه يخص شخصًا آخر.
console-failed-not-recent-title = سجّل الدخول مجددًا
console-failed-not-recent-text = يتطلب هذا أن تكون قد سجّلت الدخول خلال الدقائق الخمس الأخيرة. لم يتغيّر شيء.
console-failed-again-title = أُرسل هذا من قبل
console-failed-again-text = تم ذلك في المرة الأولى. تُعرض الروابط والرموز مرة واحدة.
console-failed-link-title = هذا الرابط لا يعمل
console-failed-link-text = استُخدم من قبل، أو مضى عليه أكثر من يوم، أو هناك رابط أحدث. اطلب رابطًا جديدًا.
console-failed-disabled-title = هذا المشغّل معطّل
console-failed-disabled-text = يمكن لمدير أن يفعّله من جديد.
console-failed-name-title = هذا ليس اسمًا
console-failed-name-text = يتكون الاسم من 1 إلى 80 محرفًا. لم يُدعَ أحد.
console-failed-name-taken-title = يوجد مشغّل بهذا الاسم
console-failed-name-taken-text = لم يُدعَ أحد. استخدم اسمًا آخر، أو أنشئ رابطًا جديدًا للمشغّل.
console-failed-too-many-passkeys-title = لا مكان لمفتاح مرور آخر
console-failed-too-many-passkeys-text = لديك أقصى عدد من مفاتيح المرور يسمح به الحساب. أزِل مفتاحًا لا تستخدمه.
console-failed-last-passkey-title = مفتاح المرور الأخير يبقى
console-failed-last-passkey-text = من دونه لا تستطيع تسجيل الدخول. أضِف مفتاحًا آخر أولًا.
console-failed-last-admin-title = المدير الأخير يبقى
console-failed-last-admin-text = وإلا فلن يستطيع أحد إدارة المشغّلين.
console-failed-passkey-taken-title = مفتاح المرور هذا مسجّل من قبل
console-failed-passkey-taken-text = استخدمه لتسجيل الدخول.
console-failed-passkey-title = لم يُقبل مفتاح المرور
console-failed-passkey-text = حاوِل مجددًا، أو اطلب رابطًا جديدًا.
console-failed-changed-title = سبقك شخص آخر
console-failed-changed-text = لم تعد البطاقة في الحالة التي ذكرتها الصفحة. انظر إليها من جديد.
console-failed-refused-title = لا يمكن فعل هذا
console-failed-refused-text = لم يتغيّر شيء.
console-failed-unavailable-title = حاوِل مجددًا بعد لحظات
console-failed-unavailable-text = قاعدة البيانات لا تجيب. لم يتغيّر شيء.
console-failed-server-title = حدث خطأ من جانبنا
console-failed-server-text = يذكر سجل الخدمة السبب.
console-signed-in-title = تم تسجيل دخولك
console-sign-in-upstream = سجّل الدخول عبر { $name }
console-invitation-upstream-title = أو بحساب لديك
console-invitation-upstream = بعدها يسجّل دخولك حسابك لدى { $name }.
console-failed-identity-taken-title = هذا الحساب يخص مشغّلًا آخر
console-failed-identity-taken-text = ما زال الرابط يعمل. استخدم حسابًا آخر أو مفتاح مرور.
console-failed-stranger-title = لا أحد هنا لديه هذا الحساب
console-failed-stranger-text = افتح دعوتك أولًا، وسجّل الدخول منها بهذا الحساب.
console-failed-provider-title = لم ينجح تسجيل الدخول
console-failed-provider-text = قلت لا، أو لم تكن إجابة المزوّد مقبولة. حاوِل مجددًا.
console-failed-provider-silent-title = المزوّد لا يجيب
console-failed-provider-silent-text = حاوِل مجددًا بعد لحظات.
console-nav-jobs = تغييرات جماعية
console-ends-early = ستنتهي في
console-replaced-by = استُبدلت بها
console-replaced-by-link = البطاقة الأحدث
console-expire = أنهِ الآن
console-expire-title = هل تريد إنهاء هذه البطاقة الآن؟
console-expire-text = لا تُقبل بعد ذلك، وإن كان التاريخ المكتوب عليها متأخرًا. لا رجوع عن هذا؛ يمكنك تجديدها.
console-renew = جدّد
console-renew-title = تجديد: { $name }
console-renew-text = تنشئ عرضًا لبطاقة جديدة. تبقى هذه البطاقة كما هي حتى يأخذ الشخص الجديدة؛ وعندها تُستبدل.
console-renew-kept = تعرض الحقول ما تذكره هذه البطاقة. غيّر ما لم يعد صحيحًا.
console-renew-source = إذا تُركت الحقول كلها فارغة، فإن نظامك يملؤها حين يأخذ الشخص البطاقة.
console-renew-gone = لم يعد ما تذكره هذه البطاقة محفوظًا. اكتب ما ستذكره الجديدة.
console-renew-back = العودة إلى البطاقة
console-end = أنهِ لاحقًا
console-end-title = متى تنتهي هذه البطاقة؟
console-end-text = منذ تلك اللحظة لا تُقبل، وإن كان التاريخ المكتوب عليها متأخرًا. حتى ذلك الحين يمكنك تحديد موعد آخر؛ ومن الآن لا تتلقى المحفظة نسخة جديدة منها.
console-end-at = تنتهي في (UTC)
console-end-do = أنهِها في ذلك الموعد
console-problem-end = يجب أن يكون موعدًا قادمًا قبل التاريخ المكتوب على البطاقة.
console-supersede = استبدِل
console-supersede-title = هل تريد استبدال هذه البطاقة؟
console-supersede-text = لن تُقبل بعد ذلك أبدًا، وتحل محلها بطاقة أخرى من الملف نفسه. لا رجوع عن هذا.
console-supersede-by = البطاقة التي تحل محلها
console-supersede-do = استبدِلها
console-supersede-none = لا توجد بطاقة أخرى صالحة في هذا الملف. جدّد هذه: تُستبدل حين يأخذ الشخص البطاقة الجديدة.
console-problem-successor = اختر بطاقة صالحة.
console-jobs-text = تُوقف بطاقات كثيرة أو تُستأنف أو تُلغى، خطوة بعد خطوة في الخلفية.
console-job-new = تغيير جماعي جديد
console-job-new-text = تُعدّ البطاقات أولًا. لا يتغيّر شيء حتى تؤكد ذلك.
console-job-title = تغيير جماعي
console-job-action = ما يُفعل
console-job-progress = التقدم
console-job-done-of = تم تغيير { $done } من { $total }
console-job-waiting = ينتظر
console-job-running = جارٍ
console-job-done = تم
console-job-cancelled = متوقف
console-job-failed = بطاقات كانت في حالة أخرى حين جاء دورها: { $number }
console-job-from = صدرت منذ
console-job-until = صدرت قبل
console-job-after = صدرت في هذا الموعد أو بعده (UTC)
console-job-before = صدرت قبل (UTC)
console-job-records = أرقام الملفات
console-job-records-hint = واحد في كل سطر، والحد الأقصى 1000. تُتجاهل الأرقام غير المعروفة.
console-job-known = الملفات المعروفة: { $number }
console-job-reason = السبب
console-job-reason-hint = لمن ينظر لاحقًا. من دون بيانات شخصية.
console-job-problems = بعض الحقول تحتاج إلى مراجعة. لم يتغيّر شيء.
console-job-count = عُدّ البطاقات
console-job-confirm-suspend = { FORM($number) ->
    [zero] لا توجد بطاقات لإيقافها مؤقتًا
    [one] هل تريد إيقاف بطاقة واحدة مؤقتًا؟
    [two] هل تريد إيقاف بطاقتين مؤقتًا؟
    [few] هل تريد إيقاف { $number } بطاقات مؤقتًا؟
    [many] هل تريد إيقاف { $number } بطاقة مؤقتًا؟
   *[other] هل تريد إيقاف { $number } بطاقة مؤقتًا؟
}
console-job-confirm-resume = { FORM($number) ->
    [zero] لا توجد بطاقات لاستئنافها
    [one] هل تريد استئناف بطاقة واحدة؟
    [two] هل تريد استئناف بطاقتين؟
    [few] هل تريد استئناف { $number } بطاقات؟
    [many] هل تريد استئناف { $number } بطاقة؟
   *[other] هل تريد استئناف { $number } بطاقة؟
}
console-job-confirm-revoke = { FORM($number) ->
    [zero] لا توجد بطاقات لإلغائها
    [one] هل تريد إلغاء بطاقة واحدة نهائيًا؟
    [two] هل تريد إلغاء بطاقتين نهائيًا؟
    [few] هل تريد إلغاء { $number } بطاقات نهائيًا؟
    [many] هل تريد إلغاء { $number } بطاقة نهائيًا؟
   *[other] هل تريد إلغاء { $number } بطاقة نهائيًا؟
}
console-job-confirm-text = البطاقات التي تصدر من الآن فصاعدًا لا تُمس.
console-job-moved = تغيّر عدد البطاقات في هذه الأثناء. لم يُفعل شيء؛ انظر من جديد.
console-job-nothing = لا توجد بطاقة مطابقة، أو لا توجد بطاقة في حالة تسمح بذلك.
console-job-edit = غيّر الاختيار
console-job-started = بدأ في
console-job-finished = انتهى في
console-job-stop = أوقِف
console-job-stop-text = لا تتغيّر أي بطاقة أخرى. ما تم يبقى كما تم.
console-job-log = ما يذكره السجل عنه
console-problem-moment = يجب أن يكون تاريخًا ووقتًا.
console-problem-job-filter = حدّد البطاقات: بطاقة أو مدة أو أرقام ملفات. الحد الأقصى 1000 رقم، و256 محرفًا لكل رقم.
console-problem-job-reason = 500 محرف كحد أقصى، في سطر واحد.
console-failed-job-ended-title = انتهى ذلك من قبل
console-failed-job-ended-text = لم يعد هناك ما يوقَف.
console-failed-job-limit-title = تغييرات كثيرة تنتظر
console-failed-job-limit-text = هناك عشرون تغييرًا لم تنتهِ. لم يتغيّر شيء؛ انتظر حتى ينتهي أحدها.
